package box

import (
	"os"
	"syscall"
)

// OwnInput is standard input as a path that can be sought in.
const OwnInput = "file:/proc/self/fd/0"

// confinements lists the grades of containment from the strongest on. Namespaces of its own leave a
// child no network at all, not even to this machine; a user namespace makes that possible without
// privileges and takes those away that this process may have. Some hosts forbid them.
func confinements() []confined {
	return []confined{
		{confinement: func() *syscall.SysProcAttr {
			own := grouped()
			own.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC
			own.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getuid(), Size: 1}}
			own.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getgid(), Size: 1}}
			return own
		}},
		{confinement: grouped, lacks: "a network namespace: the kernel does not let this process make one"},
	}
}

// nobody is who the child believes to be.
const nobody = 65534

// grouped puts a child into a process group of its own, which dies with this process.
func grouped() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
