package readcache

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

func TestAReaderNeverBringsBackAnOldValue(t *testing.T) {
	tests := map[string]struct {
		between func(*Cache[string, int])
		want    int
		found   bool
	}{
		"nothing in between":   {func(*Cache[string, int]) {}, 1, true},
		"a put in between":     {func(c *Cache[string, int]) { c.Put("a", 2) }, 2, true},
		"a drop in between":    {func(c *Cache[string, int]) { c.Drop("a") }, 0, false},
		"a clear in between":   {func(c *Cache[string, int]) { c.Clear() }, 0, false},
		"put, then drop":       {func(c *Cache[string, int]) { c.Put("a", 2); c.Drop("a") }, 0, false},
		"another reader fills": {func(c *Cache[string, int]) { _, _, other := c.Get("a"); c.Fill("a", 1, other) }, 1, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := New[string, int](1000)
			_, found, ticket := c.Get("a")
			if found {
				t.Fatal("a new cache is not empty")
			}
			test.between(c)
			c.Fill("a", 1, ticket)
			got, found, _ := c.Get("a")
			if got != test.want || found != test.found {
				t.Fatalf("got %d, %v; want %d, %v", got, found, test.want, test.found)
			}
		})
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	c := New[string, int](128)
	for i := range 10_000 {
		c.Put(fmt.Sprint(i), i)
	}
	kept := 0
	for i := range 10_000 {
		if value, ok, _ := c.Get(fmt.Sprint(i)); ok {
			kept++
			if value != i {
				t.Fatalf("key %d holds %d", i, value)
			}
		}
	}
	if kept == 0 || kept > 128 {
		t.Fatalf("%d entries are kept, want 1..128", kept)
	}
}

func TestWhatIsAskedForStays(t *testing.T) {
	const others = 50 // between two questions, out of the 64 that the test's cache holds in a shard
	c := New[int, int](64 * shardCount)
	c.Put(-1, 7)
	for i := range 200 * others * shardCount {
		c.Put(i, i)
		if i%(others*shardCount/4) == 0 {
			if value, ok, _ := c.Get(-1); !ok || value != 7 {
				t.Fatalf("after %d others, the entry is %d, %v", i, value, ok)
			}
		}
	}
}

func TestADroppedValueDoesNotComeBack(t *testing.T) {
	c := New[int, int](2 * shardCount) // one recent and one older entry in a shard
	for other := 1; other < 1000; other++ {
		c.Put(0, 1)
		c.Put(other, 1) // now and then in the same shard, which makes 0 an older entry
		c.Put(0, 2)
		c.Drop(0)
		if value, ok, _ := c.Get(0); ok {
			t.Fatalf("%d is there after the drop", value)
		}
	}
}

// A writer counts up "on disk" and in the cache; readers may never see a value
// below one that was committed before they asked.
func TestReadersNeverSeeThePast(t *testing.T) {
	const writes, readers = 20_000, 4
	c := New[string, int64](64)
	var disk, published atomic.Int64
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for published.Load() < writes {
				least := published.Load()
				value, ok, ticket := c.Get("a")
				if !ok {
					value = disk.Load()
					c.Fill("a", value, ticket)
				}
				if value < least {
					t.Errorf("saw %d after %d was published", value, least)
					return
				}
			}
		})
	}
	for i := int64(1); i <= writes; i++ {
		disk.Store(i)
		if i%3 == 0 {
			c.Drop("a")
		} else {
			c.Put("a", i)
		}
		published.Store(i)
	}
	wg.Wait()
}
