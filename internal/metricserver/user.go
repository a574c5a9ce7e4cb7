package metricserver

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// becomeUser gives up the rights of root for those of a user and a group. It does nothing when none are named, or when
// the program already runs as that user.
func becomeUser(userName, groupName string) error {
	if groupName != "" {
		g, err := user.LookupGroup(groupName)
		if err != nil {
			return fmt.Errorf("main.group: %w", err)
		}
		if err := become("main.group", groupName, g.Gid, os.Getegid(), setGroup); err != nil {
			return err
		}
	}
	if userName != "" {
		u, err := user.Lookup(userName)
		if err != nil {
			return fmt.Errorf("main.user: %w", err)
		}
		return become("main.user", userName, u.Uid, os.Geteuid(), syscall.Setuid)
	}
	return nil
}

// setGroup makes the group the only one.
func setGroup(gid int) error {
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return fmt.Errorf("set groups: %w", err)
	}
	return syscall.Setgid(gid)
}

func become(key, name, number string, current int, set func(int) error) error {
	id, err := strconv.Atoi(number)
	if err != nil {
		return fmt.Errorf("%s: %s has the odd number %q: %w", key, name, number, err)
	}
	if id == current {
		return nil
	}
	if err := set(id); err != nil {
		return fmt.Errorf("%s: become %s: %w; start the program as root, or as that user", key, name, err)
	}
	return nil
}
