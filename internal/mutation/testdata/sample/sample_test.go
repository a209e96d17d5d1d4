package sample

import "testing"

func TestWithin_TestsOneBound(t *testing.T) {
	if Within(-1, 3) || !Within(0, 3) || !Within(2, 3) || Within(4, 3) {
		t.Error("wrong")
	}
}

func TestSum_AddsAndRefuses(t *testing.T) {
	if total, err := Sum([]int{1, 2}); total != 3 || err != nil {
		t.Error(total, err)
	}
	if _, err := Sum([]int{-1, 1}); err == nil {
		t.Error("no error")
	}
}

func TestCount_CountsDown(t *testing.T) {
	if Count(2) != 2 {
		t.Error("wrong")
	}
}
