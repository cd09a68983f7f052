// SPDX-License-Identifier: Apache-2.0
//
// libcamera behind eg_camera_ops. What comes out of libcamera's buffers is copied into our own pool
// (0.2 ms for 1280×720, and a camera's buffers are often slow to read more than once), so that a
// frame may outlive its stream and its camera, and a slow consumer can never starve the sensor.
//
// Buffers: libcamera's own allocator (dma-buf) where it works, else memfds of ours.
// Threads: libcamera's calls on_request, which copies, posts and returns. The pacer gives requests
// back, one per frame interval: real cameras pace themselves and never wait for it; the virtual
// camera does not. No exception leaves this file.

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
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

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
// a camera that came back is found by opening it again.
std::shared_ptr<libcamera::CameraManager> get_manager()
{
	static std::mutex lock;
	static std::weak_ptr<libcamera::CameraManager> current;
	std::lock_guard<std::mutex> guard(lock);
	std::shared_ptr<libcamera::CameraManager> manager = current.lock();

	if (manager)
		return manager;
	// Its chatter is not for a booth's log; what matters comes out as our own errors.
	libcamera::logSetTarget(libcamera::LoggingTargetNone);
	manager = std::shared_ptr<libcamera::CameraManager>(new libcamera::CameraManager(),
							    [](libcamera::CameraManager *m) {
								    m->stop();
								    delete m;
							    });
	if (manager->start() != 0)
		return nullptr;
	current = manager;
	return manager;
}

struct Mapping {
	uint8_t *map = nullptr;
	size_t size = 0;
	~Mapping()
	{
		if (map != nullptr)
			munmap(map, size);
	}
};

} // namespace

struct eg_camera {
	std::shared_ptr<libcamera::CameraManager> manager;
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
	bool acquired = false, running = false, limited_range = false;
	std::chrono::nanoseconds interval{};
	uint32_t generation = 0;
	uint64_t sequence = 0;
	unsigned int errors = 0;
	std::atomic<uint64_t> frames{0}, dropped{0};

	std::thread pacer;
	std::mutex lock; // protects what follows
	std::condition_variable wake;
	std::deque<libcamera::Request *> idle;
	bool quit = false;

	void on_request(libcamera::Request *request);
	void on_gone();
	void pace();
	void post(const libcamera::FrameBuffer *buffer);
};

// ---- libcamera's thread -------------------------------------------------------------------------

void eg_camera::post(const libcamera::FrameBuffer *buffer)
{
	uint8_t *plane[2];
	struct eg_frame *frame = eg_frame_pool_take(pool, plane);
	const uint8_t *map = mappings.at(buffer)->map;
	const auto &planes = buffer->planes();

	if (frame == nullptr) {
		dropped++;
		return;
	}
	for (int p = 0; p < 2; p++) {
		const uint8_t *from = map + planes[static_cast<size_t>(p)].offset;
		int rows = p == 0 ? height : height / 2;

		for (int y = 0; y < rows; y++)
			std::memcpy(plane[p] + static_cast<ptrdiff_t>(y) * width,
				    from + static_cast<ptrdiff_t>(y) * stride,
				    static_cast<size_t>(width));
	}
	frame->sequence = sequence;
	frame->generation = generation;
	frame->captured_ns = eg_boot_ns(clock);
	frame->limited_range = limited_range;
	frame->digest = eg_frame_digest_of(plane[0], static_cast<size_t>(width) *
							     static_cast<size_t>(height));
	frames++;
	sink.frame(sink.user, frame);
}

void eg_camera::on_request(libcamera::Request *request)
{
	if (request->status() == libcamera::Request::RequestCancelled)
		return; // stopping
	try {
		const libcamera::FrameBuffer *buffer = request->findBuffer(stream);

		sequence++;
		if (buffer != nullptr &&
		    buffer->metadata().status == libcamera::FrameMetadata::FrameSuccess) {
			errors = 0;
			post(buffer);
		} else if (++errors == ERRORS_MAX) {
			sink.event(sink.user, EG_CAMERA_FAULT, "ten pictures in a row were broken");
		}
		std::lock_guard<std::mutex> guard(lock);
		idle.push_back(request);
		wake.notify_one();
	} catch (...) {
		sink.event(sink.user, EG_CAMERA_FAULT, "out of memory");
	}
}

void eg_camera::on_gone()
{
	sink.event(sink.user, EG_CAMERA_GONE, "the camera was unplugged");
}

// ---- the pacer's thread -------------------------------------------------------------------------

void eg_camera::pace()
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
		idle.pop_front();
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
			sink.event(sink.user, EG_CAMERA_FAULT, "a request was refused");
		guard.lock();
	}
}

// ---- open and close -----------------------------------------------------------------------------

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
	auto mapping = std::make_unique<Mapping>();

	if (planes.size() != 2 || planes[0].fd.get() != planes[1].fd.get())
		return eg_err_set(err, EG_EUNSUPPORTED,
				  "camera '%s' gives NV12 in %zu separate buffers", c->id.c_str(),
				  planes.size());
	mapping->size = planes[1].offset + planes[1].length;
	void *map = mmap(nullptr, mapping->size, PROT_READ, MAP_SHARED, planes[0].fd.get(), 0);
	if (map == MAP_FAILED)
		return eg_err_errno(err, errno, "camera buffer");
	mapping->map = static_cast<uint8_t *>(map);
	(void)madvise(map, mapping->size, MADV_DONTDUMP);
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
	c->manager = get_manager();
	if (!c->manager)
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
	c->device->requestCompleted.connect(c, &eg_camera::on_request);
	c->device->disconnected.connect(c, &eg_camera::on_gone);
	return 0;
}

void libcamera_stop(struct eg_camera *c)
{
	if (!c->running)
		return;
	{
		std::lock_guard<std::mutex> guard(c->lock);
		c->quit = true;
		c->wake.notify_one();
	}
	c->pacer.join();
	c->device->stop(); // returns when no callback runs any more
	c->running = false;
	c->sink.event(c->sink.user, EG_CAMERA_STOPPED, "stopped");
}

void libcamera_close(struct eg_camera *c)
{
	if (c == nullptr)
		return;
	try {
		libcamera_stop(c);
		if (c->device) {
			c->device->requestCompleted.disconnect();
			c->device->disconnected.disconnect();
		}
		c->requests.clear();
		c->mappings.clear();
		c->allocator.reset();
		c->own_buffers.clear();
		c->configuration.reset();
		if (c->acquired)
			c->device->release();
		c->device.reset();
		c->manager.reset();
	} catch (...) {
		// Nothing to undo it with; what is left is freed with the object.
	}
	eg_frame_pool_free(c->pool);
	delete c;
}

int libcamera_open(const struct eg_camera_config *config, const struct eg_camera_sink *sink,
		   struct eg_camera **ret_camera, struct eg_err *err)
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
		libcamera_close(c);
		return r;
	}
	*ret_camera = c;
	return 0;
}

int start(struct eg_camera *c, struct eg_err *err)
{
	c->errors = 0;
	c->generation = eg_camera_generation();
	c->quit = false;
	c->idle.clear();
	for (const auto &request : c->requests)
		c->idle.push_back(request.get());
	if (c->device->start() != 0)
		return eg_err_set(err, EG_EIO, "camera '%s' does not start; check its cable",
				  c->id.c_str());
	c->running = true;
	c->pacer = std::thread(&eg_camera::pace, c);
	c->sink.event(c->sink.user, EG_CAMERA_STARTED, "started");
	return 0;
}

int libcamera_start(struct eg_camera *c, struct eg_err *err)
{
	if (c->running)
		return 0;
	try {
		return start(c, err);
	} catch (const std::exception &e) {
		if (c->running) { // no pacer
			c->device->stop();
			c->running = false;
		}
		return eg_err_set(err, EG_EFOREIGN, "libcamera: %s", e.what());
	} catch (...) {
		if (c->running) {
			c->device->stop();
			c->running = false;
		}
		return eg_err_set(err, EG_EFOREIGN, "libcamera failed");
	}
}

void libcamera_stop_safe(struct eg_camera *c)
{
	try {
		libcamera_stop(c);
	} catch (...) {
		c->running = false;
	}
}

void libcamera_stats(const struct eg_camera *c, struct eg_camera_stats *ret_stats)
{
	*ret_stats = {};
	ret_stats->frames = c->frames;
	ret_stats->dropped = c->dropped;
	(void)snprintf(ret_stats->model, sizeof(ret_stats->model), "%s", c->id.c_str());
}

} // namespace

extern "C" const struct eg_camera_ops eg_camera_libcamera = {
	"libcamera",	     libcamera_open,  libcamera_start,
	libcamera_stop_safe, libcamera_stats, libcamera_close,
};
