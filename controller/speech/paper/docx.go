package paper

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of a .docx.
const (
	mostEntries = 2000
	mostXML     = 16 << 20 // bytes of one part, unpacked
	mostTokens  = 2_000_000
	deepest     = 100
	mostHeads   = 16
)

// readDocx returns the paragraphs of a document as one page, and its running
// heads and feet.
func readDocx(file []byte) ([][]string, []string, error) {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: the .docx is damaged: %w", ErrPaper, err)
	}
	if len(z.File) > mostEntries {
		return nil, nil, fmt.Errorf("%w: it holds %d files", ErrPaper, len(z.File))
	}
	var body, heads []string
	found, read := false, 0
	for _, f := range z.File {
		head := strings.HasPrefix(f.Name, "word/header") || strings.HasPrefix(f.Name, "word/footer")
		if f.Name != "word/document.xml" && (!head || read >= mostHeads) {
			continue
		}
		lines, err := readPart(f)
		if err != nil {
			return nil, nil, err
		}
		if head {
			heads, read = append(heads, lines...), read+1
			continue
		}
		body, found = lines, true
	}
	if !found {
		return nil, nil, fmt.Errorf("%w: it is no .docx of a text", ErrPaper)
	}
	return [][]string{body}, heads, nil
}

func readPart(f *zip.File) ([]string, error) {
	part, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPaper, err)
	}
	defer part.Close()
	bounded := &io.LimitedReader{R: part, N: mostXML}
	lines, err := paragraphs(bounded)
	if bounded.N <= 0 {
		err = fmt.Errorf("%w: it unpacks to more than %d MB", ErrPaper, mostXML>>20)
	}
	return lines, err
}

// paragraphs returns the text of each paragraph. What was deleted with changes
// tracked is no text; a document type, which could declare entities, is refused.
func paragraphs(r io.Reader) ([]string, error) {
	d := xml.NewDecoder(r)
	var lines []string
	var line strings.Builder
	depth, inText, all := 0, false, 0
	for range mostTokens {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPaper, err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, fmt.Errorf("%w: it declares a document type", ErrPaper)
		case xml.StartElement:
			if depth++; depth > deepest {
				return nil, fmt.Errorf("%w: nested more than %d deep", ErrPaper, deepest)
			}
			inText = t.Name.Local == "t"
			switch t.Name.Local {
			case "br", "cr", "tab":
				line.WriteByte(' ')
			}
		case xml.EndElement:
			depth--
			inText = false
			if t.Name.Local == "p" {
				lines = append(lines, line.String())
				line.Reset()
			}
		case xml.CharData:
			if inText {
				line.Write(t)
				all += len(t)
			}
		}
		if all > mostText || len(lines) > mostLines {
			return nil, fmt.Errorf("%w: its text is longer than a paper's", ErrPaper)
		}
	}
	return nil, fmt.Errorf("%w: it has more than %d parts", ErrPaper, mostTokens)
}
