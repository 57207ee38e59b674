/*
 * Preloaded into the tests' pcscd. vsmartcard's driver sends each command to its card in two pieces, and between them
 * TCP waits for the other side (Nagle's algorithm against delayed acknowledgement): 40 ms for each command that no
 * card needs. With TCP_NODELAY on the accepted connection pkcs11-tool takes 50 ms in place of 2 s. How long a card
 * takes is then what the test tells it to take.
 * With TEST_PCSCD_LOOK_MS set, pcscd looks that often whether a card is in a virtual reader, in place of every 400 ms
 * (its PCSCLITE_STATUS_POLL_TIME): a real reader reports a card that comes or goes at once, without being asked.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

int accept(int listening, struct sockaddr *address, socklen_t *length)
{
	int (*real)(int, struct sockaddr *, socklen_t *) =
		(int (*)(int, struct sockaddr *, socklen_t *))dlsym(RTLD_NEXT, "accept");
	int accepted = real(listening, address, length);
	int on = 1;

	if (accepted >= 0)
		setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return accepted;
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	int (*real)(const struct timespec *, struct timespec *) =
		(int (*)(const struct timespec *, struct timespec *))dlsym(RTLD_NEXT, "nanosleep");
	const char *look = getenv("TEST_PCSCD_LOOK_MS");
	struct timespec shorter = { 0, 0 };

	if (look == NULL || wanted->tv_sec != 0 || wanted->tv_nsec != 400L * 1000 * 1000)
		return real(wanted, left);
	shorter.tv_nsec = atol(look) * 1000 * 1000;
	return real(&shorter, left);
}
