package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

const (
	readerDoc  = "bufio.Reader"
	writerDoc  = "bufio.Writer"
	scannerDoc = "bufio.Scanner"
)

var errChunk = errors.New("chunk")

// chunkSource gives its text in pieces of most bytes; fails once, before byte failsAt, if that is
// not 0.
type chunkSource struct {
	text              string
	at, most, failsAt int
}

func (c *chunkSource) Read(p []byte) (int, error) {
	if c.failsAt != 0 && c.at >= c.failsAt {
		c.failsAt = 0
		return 0, errChunk
	}
	n := copy(p, c.text[c.at:min(len(c.text), c.at+c.most)])
	c.at += n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

var bufChunks *chunkSource
var bufReader *bufio.Reader

func openReader(text string, most int) {
	bufChunks = &chunkSource{text: text, most: most}
	bufReader = bufio.NewReaderSize(bufChunks, 16)
}

func bufEnding(err error) string {
	switch err {
	case nil:
		return "ok"
	case io.EOF, io.ErrUnexpectedEOF:
		return "end"
	case bufio.ErrBufferFull, bufio.ErrTooLong:
		return "full"
	}
	return "error"
}

// A read of no bytes that finds some buffered is no end; C's says how many it got, 0.
func bufPrintRead(size int) {
	to := make([]byte, size)
	n, err := bufReader.Read(to)
	how := bufEnding(err)
	if n == 0 && err == nil {
		how = "end"
	}
	fmt.Printf("%d '%s' %s, %d buffered\n", n, to[:n], how, bufReader.Buffered())
}

func bufPrintByte() {
	b, err := bufReader.ReadByte()
	if err == nil {
		fmt.Printf("%c\n", b)
	} else {
		fmt.Println(bufEnding(err))
	}
}

func bufPrintPeek(n int) {
	b, err := bufReader.Peek(n)
	fmt.Printf("%d '%s' %s\n", len(b), b, bufEnding(err))
}

func bufPrintUnread() {
	if bufReader.UnreadByte() == nil {
		fmt.Println("unread ok")
	} else {
		fmt.Println("unread invalid")
	}
}

func bufPrintUntil(delimiter byte) {
	b, err := bufReader.ReadBytes(delimiter)
	fmt.Printf("'%s' %s\n", b, bufEnding(err))
}

func bufPrintLines(s *bufio.Scanner) {
	for s.Scan() {
		fmt.Printf("%d '%s'\n", len(s.Bytes()), s.Bytes())
	}
	err := s.Err()
	if err == nil {
		err = io.EOF
	}
	fmt.Println(bufEnding(err))
}

var bufRoom = 1000

type printSink struct{}

func (printSink) Write(p []byte) (int, error) {
	n := min(len(p), bufRoom)
	fmt.Printf("  sink: %d '%s'\n", n, p[:n])
	bufRoom -= n
	if n < len(p) {
		return n, errChunk
	}
	return n, nil
}

var bufWriter *bufio.Writer

func openWriter() { bufWriter = bufio.NewWriterSize(printSink{}, 8) }

func bufPrintState(err error) {
	how := "ok"
	if err != nil {
		how = "error"
	}
	fmt.Printf("%s, %d buffered, %d available\n", how, bufWriter.Buffered(), bufWriter.Available())
}

func bufWriteText(text string) {
	_, err := bufWriter.WriteString(text)
	bufPrintState(err)
}

func bufWriteBytes(text string) {
	_, err := bufWriter.Write([]byte(text))
	bufPrintState(err)
}

func init() {
	add("bufio_read_takes_what_is_there", readerDoc+".Read", func() {
		openReader("0123456789", 3)
		for i := 0; i < 3; i++ {
			bufPrintRead(2)
		}
		bufPrintRead(10)
		bufPrintRead(0)
		bufPrintRead(10)
		bufPrintRead(10)
	})
	add("bufio_read_larger_than_the_buffer_goes_past_it", readerDoc+".Read", func() {
		openReader("0123456789abcdefghijklmnopqrstuvwxyz", 20)
		bufPrintRead(32)
		bufPrintRead(4)
		bufPrintRead(32)
		bufPrintRead(32)
		bufPrintRead(32)
	})
	add("bufio_read_bytes_to_the_end", readerDoc+".ReadByte", func() {
		openReader("abc", 2)
		for i := 0; i < 5; i++ {
			bufPrintByte()
		}
	})
	add("bufio_read_full", "io.ReadFull", func() {
		to := make([]byte, 7)
		openReader("0123456789", 3)
		n, _ := io.ReadFull(bufReader, to)
		fmt.Println(n)
		n, err := io.ReadFull(bufReader, to)
		fmt.Println(n, bufEnding(err))
		n, err = io.ReadFull(bufReader, to)
		fmt.Println(n, bufEnding(err))
	})
	add("bufio_peek_takes_nothing", readerDoc+".Peek", func() {
		openReader("0123456789", 3)
		bufPrintPeek(5)
		bufPrintPeek(2)
		bufPrintRead(10)
	})
	add("bufio_peek_at_the_end", readerDoc+".Peek", func() {
		openReader("abc", 3)
		bufPrintPeek(5)
		bufPrintRead(10)
		bufPrintPeek(1)
		bufPrintRead(10)
	})
	add("bufio_peek_more_than_the_buffer", readerDoc+".Peek", func() {
		openReader("0123456789abcdefghij", 7)
		bufPrintPeek(17)
		bufPrintPeek(16)
	})
	add("bufio_unread_byte", readerDoc+".UnreadByte", func() {
		openReader("abc", 3)
		bufPrintUnread()
		bufPrintByte()
		bufPrintByte()
		bufPrintUnread()
		bufPrintUnread()
		bufPrintByte()
		bufPrintByte()
		bufPrintByte()
		bufPrintUnread()
		bufPrintByte()
	})
	add("bufio_unread_byte_after_other_calls", readerDoc+".UnreadByte", func() {
		openReader("0123456789abcdefghijklmnop", 26)
		bufPrintRead(3)
		bufPrintUnread()
		bufPrintByte()
		bufPrintPeek(1)
		bufPrintUnread()
		bufReader.Discard(1)
		bufPrintUnread()
		bufPrintUntil('6')
		bufPrintUnread()
		bufPrintByte()
	})
	add("bufio_discard", readerDoc+".Discard", func() {
		openReader("0123456789abcdefghijklmnop", 5)
		n, _ := bufReader.Discard(0)
		fmt.Println(n)
		n, _ = bufReader.Discard(20)
		fmt.Println(n)
		bufPrintByte()
		n, err := bufReader.Discard(20)
		fmt.Println(n, bufEnding(err))
	})
	add("bufio_read_until", readerDoc+".ReadBytes", func() {
		openReader("one,two,a piece that is longer than the buffer,,last", 6)
		for i := 0; i < 6; i++ {
			bufPrintUntil(',')
		}
	})
	add("bufio_lines", scannerDoc+", ScanLines", func() {
		bufPrintLines(bufio.NewScanner(&chunkSource{most: 7,
			text: "one\n\ntwo\r\nthree\r\r\n\r\na line that is longer than the buffer\nlast"}))
	})
	add("bufio_lines_of_nothing", scannerDoc+", ScanLines", func() {
		s := bufio.NewScanner(&chunkSource{most: 7, text: ""})
		fmt.Printf("%d end\n", sigBit(s.Scan()))
		s = bufio.NewScanner(&chunkSource{most: 7, text: "\n"})
		fmt.Printf("%d%d end\n", sigBit(s.Scan()), sigBit(s.Scan()))
	})
	add("bufio_a_line_too_long", scannerDoc+".Buffer", func() {
		s := bufio.NewScanner(&chunkSource{most: 7, text: "short\na line that is longer than is allowed\n"})
		s.Buffer(make([]byte, 16), 20)
		bufPrintLines(s)
	})
	add("bufio_an_error_comes_after_the_bytes", readerDoc+".ReadBytes", func() {
		openReader("0123456789", 4)
		bufChunks.failsAt = 4
		bufPrintUntil('9')
		bufPrintUntil('9')
		bufPrintUntil('9')
	})
	add("bufio_a_peek_meets_an_error", readerDoc+".Peek", func() {
		openReader("0123456789", 4)
		bufChunks.failsAt = 4
		bufPrintPeek(6)
		bufPrintPeek(6)
		bufPrintRead(10)
	})
	add("bufio_reset_forgets", readerDoc+".Reset", func() {
		openReader("0123456789", 4)
		bufPrintByte()
		bufChunks.text = "abc"
		bufChunks.at = 0
		bufReader.Reset(bufChunks)
		bufPrintUnread()
		bufPrintRead(10)
	})
	add("bufio_writes_are_gathered", writerDoc+".Write", func() {
		openWriter()
		bufPrintState(nil)
		bufWriteText("0123")
		bufWriteText("4567")
		bufWriteText("8")
		bufWriteText("9abcdefghijk")
		bufPrintState(bufWriter.Flush())
		bufPrintState(bufWriter.Flush())
	})
	add("bufio_write_larger_than_the_buffer_goes_past_it", writerDoc+".Write", func() {
		openWriter()
		bufWriteBytes("0123456789abcdef")
		bufWriteBytes("01234567")
		bufWriteBytes("0123456789abcdefghi")
		bufPrintState(bufWriter.Flush())
	})
	add("bufio_write_byte", writerDoc+".WriteByte", func() {
		openWriter()
		for i := byte(0); i < 9; i++ {
			bufPrintState(bufWriter.WriteByte('0' + i))
		}
	})
	add("bufio_a_writers_error_stays", writerDoc, func() {
		openWriter()
		bufRoom = 5
		bufWriteText("0123456")
		bufPrintState(bufWriter.Flush())
		bufRoom = 100
		bufPrintState(bufWriter.Flush())
		bufWriteText("7")
		bufPrintState(bufWriter.WriteByte('8'))
		bufWriter.Reset(printSink{})
		bufPrintState(nil)
		bufWriteText("9")
		bufPrintState(bufWriter.Flush())
	})
	add("bufio_printf", "fmt.Fprintf", func() {
		openWriter()
		fmt.Fprintf(bufWriter, "%d-%s", 12, "ab")
		bufPrintState(nil)
		fmt.Fprintf(bufWriter, "%s", "0123456789abcdef")
		bufPrintState(nil)
		bufPrintState(bufWriter.Flush())
	})
}
