/*
 * Preloaded into the tests' pcscd. vsmartcard's driver sends each command to its card in two pieces, and between them
 * TCP waits for the other side (Nagle's algorithm against delayed acknowledgement): 40 ms for each command that no
 * card needs. With TCP_NODELAY on the accepted connection pkcs11-tool takes 50 ms in place of 2 s. How long a card
 * takes is then what the test tells it to take.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

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
