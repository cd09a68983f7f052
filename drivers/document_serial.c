// SPDX-License-Identifier: Apache-2.0
//
// A document reader or hand scanner on a tty. It types one or more lines, each ended by CR, LF or
// both, or simply stops. A boarding pass is whole at its line end, a machine-readable zone when as
// many lines have come as the first one's length asks for; silence makes whole whatever is there.
//
// Bytes are taken from the kernel one at a time and never past the end of a document: what follows
// keeps the file descriptor readable, so no event is lost. The line buffer is bounded; what does
// not fit is one error, and the rest of that line is dropped.
//
// Thread: the caller's. Nothing blocks.

#include "drivers/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "firmware/base/mem.h"

#define PATH_MAX_BYTES 256
#define TEXT_MAX       2048 // four legs with all conditional items and security data take 1,470
#define BYTES_PER_CALL 8192 // then the event loop has its turn

struct eg_document_reader {
	int fd;
	bool skipping; // drop bytes up to the next line end
	size_t size;
	size_t line_start;
	int lines; // whole lines in `text`
	size_t first_size;
	char path[PATH_MAX_BYTES];
	uint8_t text[TEXT_MAX]; // the document so far, line ends as LF
};

static const struct {
	unsigned long rate;
	speed_t speed;
} speeds[] = {
	{1200, B1200},	 {2400, B2400},	  {4800, B4800},   {9600, B9600},
	{19200, B19200}, {38400, B38400}, {57600, B57600}, {115200, B115200},
};

#define DEFAULT_SPEED B9600

// ---- opening --------------------------------------------------------------------------------

// "/dev/ttyACM0:9600" or without the rate. A colon that no plain number follows is the path's.
static int parse_source(const char *source, char ret_path[PATH_MAX_BYTES], speed_t *ret_speed,
			struct eg_err *err)
{
	const char *colon = strrchr(source, ':');
	size_t size = strlen(source);
	bool has_rate =
		colon && colon[1] != '\0' && colon[1 + strspn(colon + 1, "0123456789")] == '\0';
	speed_t speed = DEFAULT_SPEED;

	if (has_rate) {
		unsigned long rate = strtoul(colon + 1, NULL, 10);
		size_t i = 0, count = sizeof(speeds) / sizeof(speeds[0]);

		while (i < count && speeds[i].rate != rate)
			i++;
		if (i == count)
			return eg_err_set(
				err, EG_EINVAL,
				"document reader %s: the rate is not one of 1200, 2400, 4800, "
				"9600, 19200, 38400, 57600, 115200",
				source);
		speed = speeds[i].speed;
		size = (size_t)(colon - source);
	}
	if (size == 0 || size >= PATH_MAX_BYTES)
		return eg_err_set(err, EG_EINVAL,
				  "document reader: the device's path is empty or longer than %d "
				  "characters; give for example /dev/ttyACM0:9600",
				  PATH_MAX_BYTES - 1);
	memcpy(ret_path, source, size);
	ret_path[size] = '\0';
	*ret_speed = speed;
	return 0;
}

static int set_up(int fd, speed_t speed, const char *path, struct eg_err *err)
{
	struct termios tio;

	if (!isatty(fd))
		return eg_err_set(err, EG_EINVAL,
				  "document reader %s: not a serial device; check the path", path);
	if (tcgetattr(fd, &tio) != 0)
		return eg_err_errno(err, errno, "document reader %s", path);
	cfmakeraw(&tio);
	tio.c_cflag |= CLOCAL | CREAD;
	// One byte at least: a read of none is then a hang-up, and no byte yet is EAGAIN.
	tio.c_cc[VMIN] = 1;
	tio.c_cc[VTIME] = 0;
	if (cfsetispeed(&tio, speed) != 0 || cfsetospeed(&tio, speed) != 0 ||
	    tcsetattr(fd, TCSANOW, &tio) != 0 || tcflush(fd, TCIFLUSH) != 0)
		return eg_err_errno(err, errno, "document reader %s", path);
	return 0;
}

static void serial_close(struct eg_document_reader *reader)
{
	if (!reader)
		return;
	if (reader->fd >= 0)
		(void)close(reader->fd);
	eg_wipe(reader, sizeof(*reader));
	free(reader);
}

static int serial_open(const char *source, struct eg_document_reader **ret_reader,
		       struct eg_err *err)
{
	struct eg_document_reader *reader = eg_calloc(1, sizeof(*reader));
	speed_t speed = DEFAULT_SPEED;
	int r;

	if (!reader)
		return eg_err_set(err, EG_ENOMEM, "document reader: out of memory");
	reader->fd = -1;
	r = parse_source(source, reader->path, &speed, err);
	if (r != 0)
		goto fail;
	reader->fd = open(reader->path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (reader->fd < 0) {
		r = eg_err_errno(err, errno, "document reader %s", reader->path);
		goto fail;
	}
	r = set_up(reader->fd, speed, reader->path, err);
	if (r != 0)
		goto fail;
	*ret_reader = reader;
	return 0;
fail:
	serial_close(reader);
	return r;
}

static int serial_fd(const struct eg_document_reader *reader)
{
	return reader->fd;
}

// ---- reading --------------------------------------------------------------------------------

static void start_over(struct eg_document_reader *reader)
{
	eg_wipe(reader->text, reader->size);
	reader->size = 0;
	reader->line_start = 0;
	reader->lines = 0;
	reader->first_size = 0;
}

static int finish(struct eg_document_reader *reader, struct eg_document *ret_document,
		  struct eg_err *err)
{
	int r = eg_document_parse(EG_BYTES(reader->text, reader->size), ret_document, err);

	start_over(reader);
	return r;
}

// Lines that a document has whose first line is that long; 1 also for what is none.
static int lines_wanted(const struct eg_document_reader *reader)
{
	if (reader->text[0] == 'M' && reader->text[1] >= '0' && reader->text[1] <= '9')
		return 1;
	if (reader->first_size == 30)
		return 3;
	return reader->first_size == 36 || reader->first_size == 44 ? 2 : 1;
}

// A line end came: true when the document is whole.
static bool end_line(struct eg_document_reader *reader)
{
	size_t size = reader->size;

	if (reader->skipping || size == reader->line_start) { // the LF of a CRLF, or an empty line
		reader->skipping = false;
		return false;
	}
	while (size > reader->line_start && reader->text[size - 1] == ' ')
		size--;
	if (reader->lines == 0)
		reader->first_size = size;
	reader->lines++;
	reader->text[reader->size++] = '\n'; // add_byte keeps room for it
	reader->line_start = reader->size;
	return reader->lines >= lines_wanted(reader);
}

static int add_byte(struct eg_document_reader *reader, uint8_t byte, struct eg_err *err)
{
	if (reader->skipping)
		return 0;
	if (reader->size >= TEXT_MAX - 1) { // a second line may begin at TEXT_MAX
		start_over(reader);
		reader->skipping = true;
		return eg_err_set(
			err, EG_EINVAL,
			"document reader %s: a line longer than %d characters, which is no "
			"document",
			reader->path, TEXT_MAX - 1);
	}
	reader->text[reader->size++] = byte;
	return 0;
}

static int read_byte(struct eg_document_reader *reader, uint8_t *ret_byte, struct eg_err *err)
{
	ssize_t n;

	do
		n = read(reader->fd, ret_byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	if (n < 0 && errno == EAGAIN)
		return eg_err_set(err, EG_EAGAIN, "document reader %s: nothing yet", reader->path);
	start_over(reader);
	return eg_err_set(
		err, EG_EIO,
		"document reader %s: the device is gone; check its cable and plug it in again",
		reader->path);
}

static int serial_read(struct eg_document_reader *reader, bool timed_out,
		       struct eg_document *ret_document, struct eg_err *err)
{
	bool silent = timed_out;
	uint8_t byte;
	int r;

	for (int i = 0; i < BYTES_PER_CALL; i++) {
		r = read_byte(reader, &byte, err);
		if (r == EG_EAGAIN && silent)
			break;
		if (r != 0)
			return r;
		silent = false;
		if (byte == '\r' || byte == '\n') {
			if (end_line(reader))
				return finish(reader, ret_document, err);
			continue;
		}
		r = add_byte(reader, byte, err);
		if (r != 0)
			return r;
	}
	if (!silent)
		return eg_err_set(err, EG_EAGAIN, "document reader %s: nothing whole yet",
				  reader->path);
	reader->skipping = false;
	if (reader->size == 0)
		return eg_err_set(err, EG_EAGAIN, "document reader %s: nothing yet", reader->path);
	return finish(reader, ret_document, err);
}

const struct eg_document_ops eg_document_serial = {
	.name = "serial",
	.open = serial_open,
	.fd = serial_fd,
	.read = serial_read,
	.close = serial_close,
};
