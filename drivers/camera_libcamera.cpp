// SPDX-License-Identifier: Apache-2.0
//
// libcamera behind eg_camera_ops. What comes out of libcamera's buffers is copied into our own pool
// (0.2 ms for 1280×720, and a camera's buffers are often slow to read more than once), so that a
// frame may outlive its stream and its camera, and a slow consumer can never starve the sensor.
//
// Buffers: libcamera's own allocator (dma-buf) where it works, else memfds of ours.
// Threads: libcamera's calls on_request, which copies, posts and returns. The pacer gives requests
// back, one per frame interval: real cameras pace themselves and never wait for it; the virtual
// camera does not. `lock` is for the pacer and its queue; `calling` is held while the sink is
// called from libcamera's thread, so that stop can wait until that is over even where libcamera
// does not (it does not for a camera that was unplugged). No exception leaves this file.

extern "C" {
#include "drivers/camera.h"
#include "drivers/frame_internal.h"
}

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libcamera/libcamera.h>
#include <libcamera/logging.h>

namespace
{

constexpr unsigned int BUFFERS = 4;
constexpr size_t POOL_FRAMES = 6;
constexpr unsigned int ERRORS_MAX = 10; // in a row: the stream is broken

using Clock = std::chrono::steady_clock;

// One manager for all open cameras of the process; made with the first, gone with the last, so that
// a camera that came back is found by opening it again. libcamera aborts when a second one is made,
// so the last user's farewell and the next one's arrival take turns.
std::mutex manager_lock;
libcamera::CameraManager *the_manager; // protected by manager_lock; not destroyed by exit()
unsigned int manager_users;

libcamera::CameraManager *take_manager()
{
	std::lock_guard<std::mutex> guard(manager_lock);

	if (the_manager == nullptr) {
		// Its chatter is not for a booth's log; what matters comes out as our own errors.
		libcamera::logSetTarget(libcamera::LoggingTargetNone);
		auto manager = std::make_unique<libcamera::CameraManager>();
		if (manager->start() != 0)
			return nullptr;
		the_manager = manager.release();
	}
	manager_users++;
	return the_manager;
}

void give_manager()
{
	std::lock_guard<std::mutex> guard(manager_lock);

	if (--manager_users > 0)
		return;
	delete the_manager; // stops it
	the_manager = nullptr;
}

// Tells the kernel that the CPU begins or ends reading a dma-buf; false when `fd` is none.
bool sync_dma_buf(int fd, uint64_t when)
{
	struct dma_buf_sync sync = {};
	int r;

	sync.flags = DMA_BUF_SYNC_READ | when;
	do
		r = ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	while (r != 0 && (errno == EINTR || errno == EAGAIN));
	return r == 0;
}

struct Mapping {
	uint8_t *map = nullptr;
	size_t size = 0;
	int fd = -1; // the buffer's
	bool dma_buf = false;
	~Mapping()
	{
		if (map != nullptr)
			munmap(map, size);
	}
};

// What eg_camera is; in here so that its methods are no symbols outside.
struct Camera {
	libcamera::CameraManager *manager = nullptr;
	std::shared_ptr<libcamera::Camera> device;
	std::unique_ptr<libcamera::CameraConfiguration> configuration;
	std::unique_ptr<libcamera::FrameBufferAllocator> allocator;
	std::vector<std::unique_ptr<libcamera::FrameBuffer>> own_buffers; // memfd-backed
	std::vector<libcamera::FrameBuffer *> buffers;
	std::map<const libcamera::FrameBuffer *, std::unique_ptr<Mapping>> mappings;
	std::vector<std::unique_ptr<libcamera::Request>> requests;
	libcamera::Stream *stream = nullptr;
	struct eg_frame_pool *pool = nullptr;
	struct eg_camera_sink sink = {};
	const struct eg_clock *clock = nullptr;
	std::string id;
	int width = 0, height = 0, stride = 0;
	bool acquired = false, connected = false, running = false, limited_range = false;
	std::chrono::nanoseconds interval{};
	uint32_t generation = 0;
	uint64_t sequence = 0;
	unsigned int errors = 0;
	std::atomic<uint64_t> frames{0}, dropped{0};
	std::atomic<bool> gone{false}, faulted{false};

	std::mutex calling; // see the top
	std::thread pacer;
	std::mutex lock; // protects what follows
	std::condition_variable wake;
	std::vector<libcamera::Request *> idle; // first come, first queued; reserved at open
	bool quit = false;

	void on_request(libcamera::Request *request);
	void on_gone();
	void run_pacer();
	void pace();
	void fault(const char *text);
	void post(const libcamera::FrameBuffer *buffer);
};

// Once per run, and not after the camera has gone.
void Camera::fault(const char *text)
{
	if (!gone && !faulted.exchange(true))
		sink.event(sink.user, EG_CAMERA_FAULT, text);
}

// ---- libcamera's thread -------------------------------------------------------------------------

void Camera::post(const libcamera::FrameBuffer *buffer)
{
	uint8_t *plane[2];
	struct eg_frame *frame = eg_frame_pool_take(pool, plane);
	const Mapping &mapping = *mappings.at(buffer);
	const auto &planes = buffer->planes();

	if (frame == nullptr) {
		dropped++;
		return;
	}
	if (mapping.dma_buf)
		(void)sync_dma_buf(mapping.fd, DMA_BUF_SYNC_START);
	for (int p = 0; p < 2; p++) {
		const uint8_t *from = mapping.map + planes[static_cast<size_t>(p)].offset;
		int rows = p == 0 ? height : height / 2;

		for (int y = 0; y < rows; y++)
			std::memcpy(plane[p] + static_cast<ptrdiff_t>(y) * width,
				    from + static_cast<ptrdiff_t>(y) * stride,
				    static_cast<size_t>(width));
	}
	if (mapping.dma_buf)
		(void)sync_dma_buf(mapping.fd, DMA_BUF_SYNC_END);
	frame->sequence = sequence;
	frame->generation = generation;
	frame->captured_ns = eg_boot_ns(clock);
	frame->limited_range = limited_range;
	frame->digest = eg_frame_digest_of(plane[0], static_cast<size_t>(width) *
							     static_cast<size_t>(height));
	frames++;
	sink.frame(sink.user, frame);
}

void Camera::on_request(libcamera::Request *request)
{
	std::lock_guard<std::mutex> in_call(calling);

	{
		std::lock_guard<std::mutex> guard(lock);
		if (quit)
			return;
	}
	try {
		// A request may also come back cancelled in mid-stream, when its buffer broke.
		const libcamera::FrameBuffer *buffer = request->findBuffer(stream);

		sequence++;
		if (request->status() == libcamera::Request::RequestComplete && buffer != nullptr &&
		    buffer->metadata().status == libcamera::FrameMetadata::FrameSuccess) {
			errors = 0;
			post(buffer);
		} else if (++errors == ERRORS_MAX) {
			fault("ten pictures in a row were broken");
		}
		std::lock_guard<std::mutex> guard(lock);
		idle.push_back(request);
		wake.notify_one();
	} catch (...) {
		fault("libcamera failed");
	}
}

void Camera::on_gone()
{
	std::lock_guard<std::mutex> in_call(calling);

	if (!gone.exchange(true))
		sink.event(sink.user, EG_CAMERA_GONE, "the camera was unplugged");
}

// ---- the pacer's thread -------------------------------------------------------------------------

void Camera::run_pacer()
{
	try {
		pace();
	} catch (...) {
		fault("libcamera failed");
	}
}

void Camera::pace()
{
	std::unique_lock<std::mutex> guard(lock);
	Clock::time_point due = Clock::now();

	while (!quit) {
		if (idle.empty()) {
			wake.wait(guard);
			continue;
		}
		if (Clock::now() < due) {
			wake.wait_until(guard, due);
			continue;
		}
		libcamera::Request *request = idle.front();
		idle.erase(idle.begin());
		// After a hitch do not catch up in a burst.
		due = std::max(due + interval, Clock::now() - interval);
		guard.unlock();
		request->reuse(libcamera::Request::ReuseBuffers);
		// libcamera 0.4's virtual pipeline never writes a buffer's status, which starts as
		// whatever the heap held: without this, good pictures may count as broken ones.
		if (const libcamera::FrameBuffer *buffer = request->findBuffer(stream))
			const_cast<libcamera::FrameMetadata &>(buffer->metadata()).status =
				libcamera::FrameMetadata::FrameSuccess;
		if (device->queueRequest(request) != 0)
			fault("libcamera refused a request");
		guard.lock();
	}
}

// ---- open and close -----------------------------------------------------------------------------

} // namespace

struct eg_camera : Camera {
};

namespace
{

int find_camera(struct eg_camera *c, struct eg_err *err)
{
	if (c->id.empty()) {
		auto all = c->manager->cameras();

		if (all.empty())
			return eg_err_set(err, EG_ENOENT,
					  "no camera is there; check its cable, then `cam -l`");
		c->device = all[0];
	} else {
		c->device = c->manager->get(c->id);
		if (!c->device)
			return eg_err_set(err, EG_ENOENT,
					  "there is no camera '%s'; `cam -l` lists those there are",
					  c->id.c_str());
	}
	c->id = c->device->id();
	if (c->device->acquire() != 0)
		return eg_err_set(err, EG_EIO, "camera '%s' is used by another program",
				  c->id.c_str());
	c->acquired = true;
	return 0;
}

int configure(struct eg_camera *c, struct eg_err *err)
{
	c->configuration = c->device->generateConfiguration({libcamera::StreamRole::Viewfinder});
	if (!c->configuration || c->configuration->empty())
		return eg_err_set(err, EG_EUNSUPPORTED, "camera '%s' has no viewfinder stream",
				  c->id.c_str());
	libcamera::StreamConfiguration &config = c->configuration->at(0);
	config.pixelFormat = libcamera::formats::NV12;
	config.size = libcamera::Size(static_cast<unsigned int>(c->width),
				      static_cast<unsigned int>(c->height));
	config.bufferCount = BUFFERS;
	// JPEG's colours, full-range BT.601; a camera that has others puts its own here.
	config.colorSpace = libcamera::ColorSpace::Sycc;
	if (c->configuration->validate() == libcamera::CameraConfiguration::Invalid ||
	    config.pixelFormat != libcamera::formats::NV12 ||
	    config.size.width != static_cast<unsigned int>(c->width) ||
	    config.size.height != static_cast<unsigned int>(c->height))
		return eg_err_set(err, EG_EUNSUPPORTED,
				  "camera '%s' cannot give %d×%d pixels as NV12; the nearest is %s "
				  "as %s",
				  c->id.c_str(), c->width, c->height,
				  config.size.toString().c_str(),
				  config.pixelFormat.toString().c_str());
	if (c->device->configure(c->configuration.get()) != 0)
		return eg_err_set(err, EG_EIO, "camera '%s' could not be configured",
				  c->id.c_str());
	c->stream = config.stream();
	if (config.stride < config.size.width || config.stride > EG_IMAGE_SIDE_MAX * 4)
		return eg_err_set(err, EG_EUNSUPPORTED, "camera '%s' gives rows of %u bytes",
				  c->id.c_str(), config.stride);
	c->stride = static_cast<int>(config.stride);
	c->limited_range = config.colorSpace.has_value() &&
			   config.colorSpace->range == libcamera::ColorSpace::Range::Limited;
	return 0;
}

int make_memfds(struct eg_camera *c, struct eg_err *err)
{
	unsigned int luma =
		static_cast<unsigned int>(c->stride) * static_cast<unsigned int>(c->height);

	for (unsigned int i = 0; i < BUFFERS; i++) {
		int fd = memfd_create("egress-camera", MFD_CLOEXEC);

		if (fd < 0 || ftruncate(fd, static_cast<off_t>(luma) * 3 / 2) != 0) {
			int r = eg_err_errno(err, errno, "camera buffer");

			if (fd >= 0)
				close(fd);
			return r;
		}
		libcamera::SharedFD shared(std::move(fd));
		std::vector<libcamera::FrameBuffer::Plane> planes(2);
		planes[0].fd = shared;
		planes[0].offset = 0;
		planes[0].length = luma;
		planes[1].fd = shared;
		planes[1].offset = luma;
		planes[1].length = luma / 2;
		c->own_buffers.push_back(std::make_unique<libcamera::FrameBuffer>(planes));
		c->buffers.push_back(c->own_buffers.back().get());
	}
	return 0;
}

int map_buffer(struct eg_camera *c, const libcamera::FrameBuffer *buffer, struct eg_err *err)
{
	const auto &planes = buffer->planes();
	size_t luma = static_cast<size_t>(c->stride) * static_cast<size_t>(c->height);
	auto mapping = std::make_unique<Mapping>();

	if (planes.size() != 2 || planes[0].fd.get() != planes[1].fd.get())
		return eg_err_set(err, EG_EUNSUPPORTED,
				  "camera '%s' gives NV12 in %zu separate buffers", c->id.c_str(),
				  planes.size());
	if (planes[0].length < luma || planes[1].length < luma / 2)
		return eg_err_set(err, EG_EUNSUPPORTED,
				  "camera '%s' gives buffers smaller than its pictures",
				  c->id.c_str());
	mapping->fd = planes[0].fd.get();
	mapping->size = planes[1].offset + planes[1].length;
	void *map = mmap(nullptr, mapping->size, PROT_READ, MAP_SHARED, mapping->fd, 0);
	if (map == MAP_FAILED)
		return eg_err_errno(err, errno, "camera buffer");
	mapping->map = static_cast<uint8_t *>(map);
	(void)madvise(map, mapping->size, MADV_DONTDUMP);
	mapping->dma_buf = sync_dma_buf(mapping->fd, DMA_BUF_SYNC_START) &&
			   sync_dma_buf(mapping->fd, DMA_BUF_SYNC_END);
	c->mappings[buffer] = std::move(mapping);
	return 0;
}

int make_requests(struct eg_camera *c, struct eg_err *err)
{
	int r = 0;

	c->allocator = std::make_unique<libcamera::FrameBufferAllocator>(c->device);
	if (c->allocator->allocate(c->stream) > 0)
		for (const auto &buffer : c->allocator->buffers(c->stream))
			c->buffers.push_back(buffer.get());
	else
		r = make_memfds(c, err);
	for (libcamera::FrameBuffer *buffer : c->buffers) {
		if (r == 0)
			r = map_buffer(c, buffer, err);
		if (r != 0)
			return r;
		auto request = c->device->createRequest();
		if (!request || request->addBuffer(c->stream, buffer) != 0)
			return eg_err_set(err, EG_EFOREIGN, "camera '%s' makes no requests",
					  c->id.c_str());
		c->requests.push_back(std::move(request));
	}
	c->idle.reserve(c->requests.size());
	return r;
}

int set_up(struct eg_camera *c, const struct eg_camera_config *config, struct eg_err *err)
{
	int r = eg_camera_check(config, err);

	if (r != 0)
		return r;
	c->id = config->source;
	c->width = config->width;
	c->height = config->height;
	c->clock = config->clock;
	c->interval = std::chrono::nanoseconds(1000000000LL / config->frame_rate);
	c->manager = take_manager();
	if (c->manager == nullptr)
		return eg_err_set(err, EG_EFOREIGN, "libcamera could not be started");
	r = find_camera(c, err);
	if (r == 0)
		r = configure(c, err);
	if (r == 0)
		r = make_requests(c, err);
	if (r == 0)
		r = eg_frame_pool_new(POOL_FRAMES, c->width, c->height, nullptr, &c->pool, err);
	if (r != 0)
		return r;
	c->connected = true;
	c->device->requestCompleted.connect(static_cast<Camera *>(c), &Camera::on_request);
	c->device->disconnected.connect(static_cast<Camera *>(c), &Camera::on_gone);
	return 0;
}

void stop(struct eg_camera *c)
{
	if (!c->running)
		return;
	{
		std::lock_guard<std::mutex> guard(c->lock);
		c->quit = true;
		c->wake.notify_one();
	}
	c->pacer.join();
	c->device->stop();
	{
		// on_request sees `quit` from here on; wait for one that did not.
		std::lock_guard<std::mutex> in_call(c->calling);
	}
	c->running = false;
	c->sink.event(c->sink.user, EG_CAMERA_STOPPED, "stopped");
}

int start(struct eg_camera *c, struct eg_err *err)
{
	if (c->gone)
		return eg_err_set(err, EG_EIO, "camera '%s' was unplugged; close it",
				  c->id.c_str());
	c->errors = 0;
	c->generation = eg_camera_generation();
	c->quit = false;
	c->faulted = false;
	c->idle.clear();
	if (c->device->start() != 0)
		return eg_err_set(err, EG_EIO, "camera '%s' does not start; check its cable",
				  c->id.c_str());
	c->running = true;
	c->pacer = std::thread(&Camera::run_pacer, c);
	c->sink.event(c->sink.user, EG_CAMERA_STARTED, "started");
	std::lock_guard<std::mutex> guard(c->lock); // now pictures may come
	for (const auto &request : c->requests)
		c->idle.push_back(request.get());
	c->wake.notify_one();
	return 0;
}

// After an exception out of start, which only the pacer's thread can have thrown.
void undo_start(struct eg_camera *c)
{
	if (!c->running)
		return;
	c->device->stop();
	c->running = false;
}

} // namespace

// ---- the ops
// -------------------------------------------------------------------------------------

extern "C" {

void eg_camera_libcamera_close(struct eg_camera *c)
{
	if (c == nullptr)
		return;
	try {
		stop(c);
		// Releasing goes through libcamera's thread and so waits for a callback in it,
		// which for GONE may still be on its way out of ours.
		if (c->acquired)
			c->device->release();
		if (c->connected) {
			c->device->requestCompleted.disconnect(static_cast<Camera *>(c));
			c->device->disconnected.disconnect(static_cast<Camera *>(c));
		}
		c->requests.clear();
		c->mappings.clear();
		c->allocator.reset();
		c->own_buffers.clear();
		c->configuration.reset();
		c->device.reset();
		if (c->manager != nullptr)
			give_manager();
	} catch (...) {
		// Nothing to undo it with; what is left is freed with the object.
	}
	eg_frame_pool_free(c->pool);
	delete c;
}

int eg_camera_libcamera_open(const struct eg_camera_config *config,
			     const struct eg_camera_sink *sink, struct eg_camera **ret_camera,
			     struct eg_err *err)
{
	struct eg_camera *c = nullptr;
	int r;

	try {
		c = new eg_camera();
		c->sink = *sink;
		r = set_up(c, config, err);
	} catch (const std::exception &e) {
		r = eg_err_set(err, EG_EFOREIGN, "libcamera: %s", e.what());
	} catch (...) {
		r = eg_err_set(err, EG_EFOREIGN, "libcamera failed");
	}
	if (r != 0) {
		eg_camera_libcamera_close(c);
		return r;
	}
	*ret_camera = c;
	return 0;
}

int eg_camera_libcamera_start(struct eg_camera *c, struct eg_err *err)
{
	if (c->running)
		return 0;
	try {
		return start(c, err);
	} catch (const std::exception &e) {
		undo_start(c);
		return eg_err_set(err, EG_EFOREIGN, "libcamera: %s", e.what());
	} catch (...) {
		undo_start(c);
		return eg_err_set(err, EG_EFOREIGN, "libcamera failed");
	}
}

void eg_camera_libcamera_stop(struct eg_camera *c)
{
	try {
		stop(c);
	} catch (...) {
		c->running = false;
	}
}

void eg_camera_libcamera_stats(const struct eg_camera *c, struct eg_camera_stats *ret_stats)
{
	*ret_stats = {};
	ret_stats->frames = c->frames;
	ret_stats->dropped = c->dropped;
	(void)snprintf(ret_stats->model, sizeof(ret_stats->model), "%s", c->id.c_str());
}
}
