package paper

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Shapes of lines that are not said.
var (
	pageNumber = regexp.MustCompile(`^(?i:trang )?[-–—]?\s*\d{1,4}\s*(?:/\s*\d{1,4})?\s*[-–—]?$`)
	stateHead  = regexp.MustCompile(`^(?:CỘNG H(?:ÒA|OÀ) XÃ HỘI CHỦ NGHĨA VIỆT NAM.*|Độc lập\s*[-–—]\s*Tự do\s*[-–—]\s*Hạnh phúc.*|[-–—_*=.\s]{3,})$`)
	signature  = regexp.MustCompile(`^(?:Nơi nhận|NƠI NHẬN|TM\.|T/M|KT\.|K/T|TL\.|TUQ\.|Q\. ?CHỦ TỊCH|(?:PHÓ )?CHỦ TỊCH$|NGƯỜI (?:SOẠN|KÝ|LẬP))`)
	article    = regexp.MustCompile(`^(?i:điều|chương|mục|phần|phụ lục)\s+(?:\d{1,4}|[IVXLC]{1,8})\b`)
)

// clean leaves out what is not said. Wrapped lines are joined where a file has
// lines instead of paragraphs.
func clean(pages [][]string, heads []string, wrapped bool) (Paper, error) {
	if lineCount(pages) > mostLines {
		return Paper{}, fmt.Errorf("%w: it has more than %d lines", ErrPaper, mostLines)
	}
	var p Paper
	running := repeated(pages)
	for _, h := range heads {
		if h = strings.Join(strings.Fields(h), " "); h != "" {
			p.Dropped = append(p.Dropped, Dropped{h, RunningHead})
		}
	}
	var lines []string
	for _, page := range pages {
		for _, raw := range page {
			line := strings.Join(strings.Fields(raw), " ")
			switch {
			case line == "":
				lines = append(lines, "")
			case pageNumber.MatchString(line):
				p.Dropped = append(p.Dropped, Dropped{line, PageNumber})
			case running[line]:
				p.Dropped = append(p.Dropped, Dropped{line, RunningHead})
			case stateHead.MatchString(line):
				p.Dropped = append(p.Dropped, Dropped{line, StateHead})
			default:
				lines = append(lines, line)
			}
		}
	}
	body, end := unsigned(lines)
	for _, line := range end {
		p.Dropped = append(p.Dropped, Dropped{line, Signature})
	}
	if p.Text = joined(body, wrapped); p.Text == "" {
		return p, fmt.Errorf("%w: nothing in it is to be said", ErrPaper)
	}
	return p, nil
}

// repeated are the lines that begin or end at least three pages.
func repeated(pages [][]string) map[string]bool {
	const often = 3
	seen, out := map[string]int{}, map[string]bool{}
	for _, page := range pages {
		var full []string
		for _, raw := range page {
			if line := strings.Join(strings.Fields(raw), " "); line != "" {
				full = append(full, line)
			}
		}
		edges := map[string]bool{}
		for i, line := range full {
			if i < 2 || i >= len(full)-2 {
				edges[line] = true
			}
		}
		for line := range edges {
			seen[line]++
		}
	}
	for line, n := range seen {
		out[line] = n >= often
	}
	return out
}

// unsigned parts the signatures at the end from the text. What looks like one in
// the first half of a paper, or has much behind it, is text.
func unsigned(lines []string) (body, end []string) {
	const most = 60
	for i, line := range lines {
		if i >= len(lines)/2 && len(lines)-i <= most && signature.MatchString(line) {
			full := slices.DeleteFunc(slices.Clone(lines[i:]), func(s string) bool { return s == "" })
			return lines[:i], full
		}
	}
	return lines, nil
}

// joined makes one line of each paragraph.
func joined(lines []string, wrapped bool) string {
	var out []string
	for _, line := range lines {
		if line == "" {
			continue
		}
		if last := len(out) - 1; wrapped && last >= 0 && !strings.ContainsRune(".:;!?", rune(out[last][len(out[last])-1])) && unicode.IsLower(first(line)) {
			out[last] += " " + line
			continue
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// Episode is a part of a text that fits a programme.
type Episode struct {
	Title string
	Text  string
	// Length is an estimate; Long says that a single article passes what was asked.
	Length time.Duration
	Long   bool
}

// Episodes parts a text at its articles, so that each part is at most that long if
// no single article is longer.
func Episodes(text string, most time.Duration, estimate func(string) time.Duration) []Episode {
	var parts []string
	for line := range strings.SplitSeq(text, "\n") {
		if article.MatchString(line) || len(parts) == 0 {
			parts = append(parts, line)
			continue
		}
		parts[len(parts)-1] += "\n" + line
	}
	var out []Episode
	for _, p := range parts {
		length := estimate(p)
		if n := len(out) - 1; n >= 0 && out[n].Length+length <= most {
			out[n].Text += "\n" + p
			out[n].Length += length
			continue
		}
		title, _, _ := strings.Cut(p, "\n")
		out = append(out, Episode{Title: shortened(title), Text: p, Length: length, Long: length > most})
	}
	return out
}

func shortened(s string) string {
	const longest = 100
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}
