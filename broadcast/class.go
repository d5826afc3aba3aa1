package broadcast

import "fmt"

// Class is one of the three bulletin classes of Circular 39/2020/TT-BTTTT.
type Class string

// The three classes, from the lowest to the highest.
const (
	Normal    Class = "normal"    // thông thường
	Priority  Class = "priority"  // ưu tiên
	Emergency Class = "emergency" // khẩn cấp
)

// Classes returns all classes from the lowest to the highest.
func Classes() []Class { return []Class{Normal, Priority, Emergency} }

// Validate refuses anything but the three classes.
func (c Class) Validate() error {
	if c.Rank() == 0 {
		return fmt.Errorf("class %q: use normal, priority or emergency", string(c))
	}
	return nil
}

// Rank orders the classes: 1 normal, 2 priority, 3 emergency, 0 for no class.
// Only a higher rank pre-empts a lower one.
func (c Class) Rank() int {
	switch c {
	case Normal:
		return 1
	case Priority:
		return 2
	case Emergency:
		return 3
	}
	return 0
}

// Level is a level of the organisation tree; a smaller Rank is a higher level.
type Level string

// The levels, from the highest to the lowest.
const (
	Province Level = "province"
	District Level = "district" // dated out since 01/07/2025, still groups
	Commune  Level = "commune"
	Village  Level = "village" // a village, or a former commune kept as a named part
)

// Rank is 1 for the province to 4 for the village, 0 for no level.
func (l Level) Rank() int {
	switch l {
	case Province:
		return 1
	case District:
		return 2
	case Commune:
		return 3
	case Village:
		return 4
	}
	return 0
}

// Validate refuses anything but the four levels.
func (l Level) Validate() error {
	if l.Rank() == 0 {
		return fmt.Errorf("level %q: use province, district, commune or village", string(l))
	}
	return nil
}
