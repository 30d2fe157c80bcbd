package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	cmdDoc      = "os/exec.Cmd"
	lookPathDoc = "os/exec.LookPath"
)

func execShell(script string) *exec.Cmd { return exec.Command("/bin/sh", "-c", script) }

// execHow says of an error whether the command failed or running it did.
func execHow(err error) string {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &exit):
		return "failed"
	}
	return "error"
}

func execErrorName(err error) string {
	switch {
	case errors.Is(err, exec.ErrDot):
		return "found in a relative directory"
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, syscall.ENOENT):
		return "no such file or directory"
	case errors.Is(err, syscall.EACCES):
		return "permission denied"
	case errors.Is(err, syscall.EISDIR):
		return "is a directory"
	case errors.Is(err, syscall.ENOEXEC):
		return "exec format error"
	}
	return "another error"
}

func execPrintRun(cmd *exec.Cmd) {
	err := cmd.Run()
	fmt.Printf("%s: %s\n", execHow(err), cmd.ProcessState)
}

func execPrintOutput(cmd *exec.Cmd) {
	out, err := cmd.Output()
	fmt.Printf("%s: '%s'\n", execHow(err), out)
}

func execPrintStart(cmd *exec.Cmd) {
	if err := cmd.Start(); err != nil {
		fmt.Println(execErrorName(err))
	} else {
		fmt.Println("started")
	}
}

func execStartAndAwait(cmd *exec.Cmd) {
	out, _ := cmd.StdoutPipe()
	fmt.Println(execHow(cmd.Start()))
	io.ReadFull(out, make([]byte, 6))
}

func execExited(state *os.ProcessState) {
	fmt.Println(sigBit(state.Exited()), state.ExitCode())
}

// execEnterDirectory makes a directory with a program in it the current one.
func execEnterDirectory() string {
	dir, err := os.MkdirTemp("/tmp", "gofer-exec-")
	if err != nil || os.Chdir(dir) != nil {
		os.Exit(3)
	}
	os.WriteFile("gofer-runs", []byte("#!/bin/sh\necho runs\n"), 0600)
	exec.Command("chmod", "755", "gofer-runs").Run()
	return dir
}

func execPrintPath(path, name string) {
	os.Setenv("PATH", path)
	found, err := exec.LookPath(name)
	if err != nil {
		fmt.Println(execErrorName(err))
	} else {
		fmt.Println("/" + filepath.Base(found))
	}
}

func init() {
	add("exec_output", cmdDoc+".Output", func() {
		execPrintOutput(exec.Command("echo", "one", "two words"))
	})
	add("exec_output_of_a_command_that_fails", cmdDoc+".Output", func() {
		execPrintOutput(execShell("echo half; exit 1"))
	})
	add("exec_output_leaves_stderr_alone", cmdDoc+".Output", func() {
		execPrintOutput(execShell("echo out; echo err >&2"))
	})
	add("exec_combined_output", cmdDoc+".CombinedOutput", func() {
		out, err := execShell("echo out; echo err >&2; echo out again").CombinedOutput()
		fmt.Printf("%s: '%s'\n", execHow(err), out)
	})
	add("exec_output_with_stdout_set", cmdDoc+".Output", func() {
		cmd := exec.Command("true")
		cmd.Stdout = os.Stdout
		execPrintOutput(cmd)
	})
	add("exec_exit_statuses", "os.ProcessState.String", func() {
		for _, script := range []string{"exit 0", "exit 3", "exit 255", "exit 256"} {
			cmd := execShell(script)
			execPrintRun(cmd)
			execExited(cmd.ProcessState)
		}
	})
	add("exec_ended_by_signals", "os.ProcessState.String", func() {
		for _, script := range []string{"kill -TERM $$", "kill -KILL $$", "kill -HUP $$", "kill -USR1 $$"} {
			cmd := execShell(script)
			execPrintRun(cmd)
			execExited(cmd.ProcessState)
		}
	})
	add("exec_no_such_command", lookPathDoc, func() {
		execPrintStart(exec.Command("gofer-no-such-command"))
	})
	add("exec_no_such_file", cmdDoc+".Start", func() {
		execPrintStart(exec.Command("/no/such/file"))
	})
	add("exec_not_executable", cmdDoc+".Start", func() {
		execPrintStart(exec.Command("/etc/passwd"))
	})
	add("exec_a_directory", lookPathDoc, func() {
		_, err := exec.LookPath("/")
		fmt.Println(execErrorName(err))
	})
	add("exec_no_such_dir", cmdDoc+".Dir", func() {
		cmd := exec.Command("/bin/true")
		cmd.Dir = "/no/such/dir"
		execPrintStart(cmd)
	})
	add("exec_dir", cmdDoc+".Dir", func() {
		cmd := execShell("pwd -P")
		cmd.Dir = "/"
		execPrintOutput(cmd)
	})
	add("exec_a_relative_path_begins_in_dir", cmdDoc+".Path", func() {
		execPrintOutput(&exec.Cmd{Path: "bin/echo", Args: []string{"echo", "found"}, Dir: "/"})
	})
	add("exec_a_name_with_a_slash_begins_in_dir", cmdDoc+".Path", func() {
		cmd := exec.Command("bin/echo", "found")
		cmd.Dir = "/"
		execPrintOutput(cmd)
		execPrintStart(exec.Command("/tmp"))
	})
	add("exec_dir_is_pwd", cmdDoc+".Environ", func() {
		cmd := exec.Command("printenv", "PWD")
		cmd.Dir = "//usr/./lib/..//bin/"
		execPrintOutput(cmd)
		os.Setenv("PWD", "/")
		relative := exec.Command("printenv", "PWD")
		relative.Dir = "../usr"
		if os.Chdir("/") == nil {
			execPrintOutput(relative)
		}
		given := exec.Command("printenv", "PWD")
		given.Env = []string{"PWD=mine"}
		given.Dir = "/usr"
		execPrintOutput(given)
	})
	add("exec_the_last_of_a_name_counts", cmdDoc+".Env", func() {
		cmd := exec.Command("env")
		cmd.Env = []string{"A=1", "B", "AB=2", "", "A=3", "=x=1", "A", "=x=2", "AB=4"}
		execPrintOutput(cmd)
	})
	add("exec_env", cmdDoc+".Env", func() {
		cmd := execShell("echo $COLOUR$HOME")
		cmd.Env = []string{"COLOUR=blue"}
		execPrintOutput(cmd)
		os.Setenv("COLOUR", "red")
		execPrintOutput(execShell("echo $COLOUR"))
	})
	add("exec_the_name_may_be_another", cmdDoc+".Args", func() {
		execPrintOutput(&exec.Cmd{Path: "/bin/sh", Args: []string{"nick", "-c", "echo $0"}})
	})
	add("exec_stdin_is_null_by_default", cmdDoc+".Stdin", func() {
		execPrintOutput(exec.Command("cat"))
	})
	add("exec_stdin_from_memory", cmdDoc+".Stdin", func() {
		cmd := exec.Command("tr", "a-z", "A-Z")
		cmd.Stdin = strings.NewReader("hello")
		execPrintOutput(cmd)
	})
	add("exec_stdin_that_nobody_reads", "os/exec skipStdinCopyError", func() {
		cmd := exec.Command("true")
		cmd.Stdin = strings.NewReader(strings.Repeat("\x00", 1000000))
		execPrintRun(cmd)
	})
	add("exec_pipes", cmdDoc+".StdinPipe, StdoutPipe", func() {
		cmd := exec.Command("cat")
		in, _ := cmd.StdinPipe()
		out, _ := cmd.StdoutPipe()
		fmt.Println(execHow(cmd.Start()))
		s := bufio.NewScanner(out)
		for _, line := range []string{"one\n", "two\n"} {
			io.WriteString(in, line)
			if s.Scan() {
				fmt.Println(s.Text())
			}
		}
		in.Close()
		fmt.Println("end", sigBit(!s.Scan() && s.Err() == nil))
		fmt.Println(execHow(cmd.Wait()))
	})
	add("exec_stdout_is_inherited", cmdDoc+".Stdout", func() {
		cmd := exec.Command("echo", "from the child")
		cmd.Stdout = os.Stdout
		fmt.Println("before")
		execPrintRun(cmd)
	})
	add("exec_extra_files", cmdDoc+".ExtraFiles", func() {
		r, w, _ := os.Pipe()
		cmd := execShell("echo three >&3")
		cmd.ExtraFiles = []*os.File{w}
		execPrintRun(cmd)
		w.Close()
		b, _ := io.ReadAll(r)
		fmt.Printf("%d '%s'\n", len(b), b)
	})
	add("exec_wait_before_the_start_and_twice", cmdDoc+".Wait", func() {
		cmd := exec.Command("true")
		fmt.Println(execHow(cmd.Wait()))
		fmt.Println(execHow(cmd.Start()))
		fmt.Println(execHow(cmd.Wait()))
		fmt.Println(execHow(cmd.Wait()))
	})
	add("exec_start_twice", cmdDoc+".Start", func() {
		cmd := exec.Command("true")
		fmt.Println(execHow(cmd.Start()))
		fmt.Println(execHow(cmd.Start()))
		fmt.Println(execHow(cmd.Wait()))
	})
	add("exec_kill", "os.Process.Kill", func() {
		cmd := exec.Command("sleep", "1000")
		fmt.Println(execHow(cmd.Start()))
		fmt.Println(execHow(cmd.Process.Kill()))
		cmd.Wait()
		fmt.Println(cmd.ProcessState)
		fmt.Println(execHow(cmd.Process.Kill()))
	})
	add("exec_signal", "os.Process.Signal", func() {
		cmd := execShell("trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done")
		execStartAndAwait(cmd)
		fmt.Println(execHow(cmd.Process.Signal(syscall.SIGUSR1)))
		fmt.Println(execHow(cmd.Wait()))
		fmt.Println(cmd.ProcessState)
	})
	add("exec_process_group_of_its_own", "syscall.SysProcAttr", func() {
		cmd, other := exec.Command("sleep", "1000"), exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Start()
		other.Start()
		group, _ := syscall.Getpgid(cmd.Process.Pid)
		otherGroup, _ := syscall.Getpgid(other.Process.Pid)
		fmt.Println(sigBit(group == cmd.Process.Pid), sigBit(otherGroup == syscall.Getpgrp()))
		cmd.Process.Kill()
		other.Process.Kill()
		cmd.Wait()
		other.Wait()
	})
	add("exec_context_kills", "os/exec.CommandContext", func() {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		cmd := exec.CommandContext(ctx, "sleep", "1000")
		fmt.Println(sigBit(cmd.Run() != nil))
		fmt.Println(cmd.ProcessState)
	})
	add("exec_context_that_has_ended", "os/exec.CommandContext", func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		cmd := exec.CommandContext(ctx, "echo", "never")
		cmd.Stdout = os.Stdout
		err := cmd.Run()
		fmt.Println(execHow(err), sigBit(errors.Is(err, context.Canceled)), sigBit(cmd.Process != nil))
	})
	add("exec_context_ends_after_the_process", "os/exec.CommandContext", func() {
		ctx, cancel := context.WithCancel(context.Background())
		cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "exit 4")
		err := cmd.Run()
		fmt.Println(execHow(err), cmd.ProcessState.ExitCode())
		cancel()
	})
	add("exec_context_with_a_gentle_signal", cmdDoc+".Cancel", func() {
		ctx, cancel := context.WithCancel(context.Background())
		cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done")
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		execStartAndAwait(cmd)
		cancel()
		err := cmd.Wait()
		fmt.Println(execHow(err), sigBit(errors.Is(err, context.Canceled)))
		fmt.Println(cmd.ProcessState)
	})
	add("exec_wait_delay_kills", cmdDoc+".WaitDelay", func() {
		ctx, cancel := context.WithCancel(context.Background())
		cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done")
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = 20 * time.Millisecond
		execStartAndAwait(cmd)
		cancel()
		fmt.Println(sigBit(cmd.Wait() != nil))
		fmt.Println(cmd.ProcessState)
	})
	add("exec_wait_delay_cuts_the_output_off", cmdDoc+".WaitDelay", func() {
		cmd := execShell("sleep 5 & echo all")
		cmd.WaitDelay = time.Second
		out, err := cmd.Output()
		fmt.Printf("%s %d '%s'\n", execHow(err), sigBit(errors.Is(err, exec.ErrWaitDelay)), out)
	})
	add("exec_signals_of_the_child", "os/signal: Default behavior of signals in Go programs", func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGUSR1)
		signal.Ignore(syscall.SIGUSR2)
		for _, script := range []string{"kill -PIPE $$; echo alive", "kill -USR1 $$; echo alive",
			"kill -USR2 $$; echo alive"} {
			cmd := execShell(script)
			cmd.Stdout = os.Stdout
			execPrintRun(cmd)
		}
	})
	add("exec_look_path", lookPathDoc, func() {
		dir := execEnterDirectory()
		execPrintPath("/no/such:"+dir+":/bin", "gofer-runs")
		execPrintPath("/bin", "gofer-runs")
		execPrintPath("", "gofer-runs")
		execPrintPath("/bin", "")
		execPrintPath("/no/such", "./gofer-runs")
		execPrintPath("/", "bin")
		execPrintPath("/", "/etc/passwd")
		os.RemoveAll(dir)
	})
	add("exec_look_path_of_a_relative_directory", "os/exec.ErrDot", func() {
		dir := execEnterDirectory()
		execPrintPath(".", "gofer-runs")
		execPrintPath(":/bin", "gofer-runs")
		execPrintPath("/bin:", "gofer-runs")
		os.Setenv("PATH", ".:/bin")
		execPrintStart(exec.Command("gofer-runs"))
		os.RemoveAll(dir)
	})
}
