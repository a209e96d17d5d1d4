// Package sample is changed by the tests of the command.
package sample

import "errors"

var errNegative = errors.New("sample: negative")

// Within reports whether n is between 0 and most.
func Within(n, most int) bool {
	return n >= 0 && n <= most
}

// Sum adds numbers, none of which is negative.
func Sum(list []int) (total int, err error) {
	for _, n := range list {
		if n < 0 {
			return 0, errNegative
		}
		total += n
	}
	return total, nil
}

// Count counts down from n.
func Count(n int) (steps int) {
	for n > 0 {
		n--
		steps++
	}
	return steps
}

// Twice is not tested.
func Twice(n int) int { return n * two(n) }

func two(int) int { return 2 }
