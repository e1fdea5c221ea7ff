package rule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Suggest returns words that name the closest of the known names, or else all, to end the error about an unknown one.
func Suggest(unknown string, known []string) string {
	if closest := Closest(unknown, known); closest != "" {
		return closest
	}
	return fmt.Sprintf("; known are %v", known)
}

// Closest returns words that name the closest of the known names, or nothing where none is close.
func Closest(unknown string, known []string) string {
	closest, distance := "", len(unknown)/2+1
	for _, name := range known {
		if d := editDistance(unknown, name); d < distance {
			closest, distance = name, d
		}
	}
	if closest == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", closest)
}

// editDistance counts the bytes to insert, delete or replace to turn a into b (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}
