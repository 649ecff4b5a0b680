/* Copyright (c) 2026 securescan.kubernetes contributors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * listener [PORT]: a stand-in for a service. It accepts TCP connections on PORT and closes them, or only waits when no
 * port is given. It ends at once on SIGTERM, also as the first process of a container. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void end(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

static int listen_on(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_ANY)};
	int on = 1;
	int server = socket(AF_INET, SOCK_STREAM, 0);

	if (server < 0 || setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(server, (struct sockaddr *)&address, sizeof address) < 0 || listen(server, 16) < 0) {
		perror("listener");
		exit(1);
	}
	return server;
}

int main(int argc, char **argv)
{
	signal(SIGTERM, end);
	signal(SIGINT, end);
	if (argc > 1) {
		int port = atoi(argv[1]);
		if (port < 1 || port > 65535) {
			fprintf(stderr, "listener: no such port: %s\n", argv[1]);
			return 2;
		}
		int server = listen_on(port);
		for (;;) {
			int client = accept(server, NULL, NULL);
			if (client >= 0)
				close(client);
		}
	}
	for (;;)
		pause();
}
