package mfa

import (
	"errors"
	"iter"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// numbered yields n pages, whose cursors are their numbers, and then what failed.
func numbered(n int, failed error) iter.Seq2[page, error] {
	return func(yield func(page, error) bool) {
		for i := range n {
			if !yield(page{cursor: strconv.Itoa(i)}, nil) {
				return
			}
		}
		if failed != nil {
			yield(page{}, failed)
		}
	}
}

// Results come in the order of the pages, whichever is done first, and each once.
func TestSeveralPages_KeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		for p, err := range severalPages(numbered(20, nil), 8, func(p page) (string, error) {
			n, _ := strconv.Atoi(p.cursor)
			time.Sleep(time.Duration(20-n) * time.Second) // later ones are done earlier
			return p.cursor, nil
		}) {
			require.NoError(t, err)
			got = append(got, p)
		}
		require.Len(t, got, 20)
		for i, p := range got {
			require.Equal(t, strconv.Itoa(i), p)
		}
	})
}

// As many pages are worked on at a time as the caller says, and no goroutine is left when the
// loop ends, also when the caller leaves it.
func TestSeveralPages_BoundsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun, ended, atOnce atomic.Int32
		goOn := make(chan struct{})
		go func() {
			synctest.Wait()
			atOnce.Store(begun.Load())
			close(goOn)
		}()
		for _, err := range severalPages(numbered(50, nil), 8, func(page) (int, error) {
			begun.Add(1)
			<-goOn
			time.Sleep(time.Second)
			ended.Add(1)
			return 0, nil
		}) {
			require.NoError(t, err)
			break
		}
		require.EqualValues(t, 8, atOnce.Load())
		require.Equal(t, begun.Load(), ended.Load())
		require.Less(t, begun.Load(), int32(50))
	})
}

var errPage = errors.New("no page")

// An error is the last that the loop gets, wherever it comes from.
func TestSeveralPages_EndsWithAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		pages iter.Seq2[page, error]
		do    func(page) (string, error)
		want  int
	}{
		"reading": {numbered(3, errPage), func(p page) (string, error) { return p.cursor, nil }, 3},
		"working": {numbered(50, nil), func(p page) (string, error) {
			if p.cursor == "3" {
				return "", errPage
			}
			return p.cursor, nil
		}, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			good, bad := 0, 0
			for _, err := range severalPages(tc.pages, 4, tc.do) {
				if err != nil {
					require.ErrorIs(t, err, errPage, name)
					bad++
					continue
				}
				require.Zero(t, bad, name)
				good++
			}
			require.Equal(t, []int{tc.want, 1}, []int{good, bad}, name)
		})
	}
}

// A panic is the caller's, wherever it happens.
func TestSeveralPages_PanicsInTheCaller(t *testing.T) {
	for name, pages := range map[string]iter.Seq2[page, error]{
		"working": numbered(50, nil),
		"reading": func(yield func(page, error) bool) {
			_ = yield(page{}, nil)
			panic("a fault")
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			require.PanicsWithValue(t, "a fault", func() {
				for range severalPages(pages, 4, func(p page) (string, error) {
					if p.cursor == "2" {
						panic("a fault")
					}
					return "", nil
				}) {
					continue
				}
			}, name)
		})
	}
}

// A caller who has left the loop is not waited for, whatever fails then.
func TestSeveralPages_EndsAfterTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pages := func(yield func(page, error) bool) {
			if yield(page{}, nil) {
				time.Sleep(time.Second)
				_ = yield(page{}, errPage)
			}
		}
		for _, err := range severalPages(pages, 1, func(page) (int, error) { return 0, nil }) {
			require.NoError(t, err)
			break
		}
	})
}
