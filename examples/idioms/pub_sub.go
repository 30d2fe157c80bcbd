package main

import (
	"fmt"
	"strings"
	"sync"
)

type topic struct {
	mutex       sync.Mutex // guards subscribers
	subscribers []chan string
}

func (t *topic) subscribe() <-chan string {
	c := make(chan string, 16)
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.subscribers = append(t.subscribers, c)
	return c
}

// publish waits for nobody: a subscriber with a full buffer misses the message.
func (t *topic) publish(message string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, c := range t.subscribers {
		select {
		case c <- message:
		default:
		}
	}
}

func (t *topic) close() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, c := range t.subscribers {
		close(c)
	}
}

func listen(messages <-chan string, heard *strings.Builder) {
	for m := range messages {
		heard.WriteString(" " + m)
	}
}

func main() {
	var news topic
	var heard [2]strings.Builder
	var listeners sync.WaitGroup
	first := news.subscribe()
	listeners.Go(func() { listen(first, &heard[0]) })
	news.publish("one")
	second := news.subscribe()
	listeners.Go(func() { listen(second, &heard[1]) })
	news.publish("two")
	news.publish("three")
	news.close()
	listeners.Wait()
	fmt.Printf("first:%s\nsecond:%s\n", heard[0].String(), heard[1].String())
}
