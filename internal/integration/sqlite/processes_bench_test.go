package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// workersInAll is how many workers all processes of the benchmark have, and updatesEach is how
// many updates each of them makes.
const workersInAll, updatesEach = 16, 64

// BenchmarkProcesses measures updates, a read and a conditional write each, by sixteen workers on
// records of their own, in one process and in several over one file. of-one is the throughput
// relative to one process: its writers wait in a queue, and those of several sleep in SQLite.
func BenchmarkProcesses(b *testing.B) {
	path := filepath.Join(b.TempDir(), "records.db")
	openStore(b, path)
	one := 0.0
	for _, processes := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("processes=%d", processes), func(b *testing.B) {
			var total time.Duration
			slowest := 0.0
			for b.Loop() {
				took, p99 := updatesBy(b, path, processes)
				total, slowest = total+took, max(slowest, p99)
			}
			rate := float64(b.N*workersInAll*updatesEach) / total.Seconds()
			if processes == 1 {
				one = rate
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(rate, "updates/s")
			b.ReportMetric(rate/one, "of-one")
			b.ReportMetric(slowest, "p99-ms")
		})
	}
}

// updatesBy starts processes, and then their work at once. It returns how long all of it took,
// and the longest p99 of a process, in milliseconds.
func updatesBy(b *testing.B, path string, processes int) (took time.Duration, p99 float64) {
	b.Helper()
	type child struct {
		*exec.Cmd
		in  io.WriteCloser
		out *bufio.Reader
	}
	children := make([]child, processes)
	for i := range children {
		cmd := process(b, fmt.Sprint("updates:", workersInAll/processes), path)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(b, err)
		out, err := cmd.StdoutPipe()
		require.NoError(b, err)
		require.NoError(b, cmd.Start())
		children[i] = child{cmd, in, bufio.NewReader(out)}
	}
	for _, c := range children {
		_, err := c.out.ReadString('\n')
		require.NoError(b, err)
	}
	began := time.Now()
	for _, c := range children {
		require.NoError(b, c.in.Close())
	}
	for _, c := range children {
		var each float64
		_, err := fmt.Fscan(c.out, &each)
		require.NoError(b, err)
		took, p99 = time.Since(began), max(p99, each)
	}
	for _, c := range children {
		require.NoError(b, c.Wait())
	}
	return took, p99
}

// update is the work of one process. It says that it is ready, begins when its standard input
// ends, and says its p99.
func update(ctx context.Context, store *sqlstore.Store, workers int) error {
	if _, err := fmt.Println("ready"); err != nil {
		return err
	}
	if _, err := io.ReadAll(os.Stdin); err != nil {
		return err
	}
	updater := storage.NewUpdater(store)
	data := make([]byte, 500)
	data[0] = 1
	each := make([][]time.Duration, workers)
	failed := make([]error, workers)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			key := fmt.Sprintf("process-%d/worker-%d", os.Getpid(), worker)
			for range updatesEach {
				began := time.Now()
				if err := updater.Update(ctx, key, func([]byte) (storage.Change, error) {
					return storage.Change{Data: data}, nil
				}); err != nil {
					failed[worker] = err
					return
				}
				each[worker] = append(each[worker], time.Since(began))
			}
		})
	}
	wg.Wait()
	if i := slices.IndexFunc(failed, func(err error) bool { return err != nil }); i >= 0 {
		return failed[i]
	}
	all := slices.Concat(each...)
	slices.Sort(all)
	_, err := fmt.Printf("%.2f\n", float64(all[len(all)*99/100].Microseconds())/1000)
	return err
}
