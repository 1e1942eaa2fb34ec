package fakeprovider

// onePixel is a PNG of one transparent pixel.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

// maxImages bounds how many one request makes.
const maxImages = 10

// images answers images/generations.
func (p *provider) images(c *call) {
	made := min(max(c.ask.N, 1), maxImages)
	usage := c.counts()
	if c.switches.Out == off && c.switches.Usage != UsageZero {
		usage.out = int64(made) * MadeImageTokens
	}
	if c.ask.Stream {
		c.streamImage(usage)
		return
	}
	rows := make([]object, made)
	for i := range rows {
		rows[i] = object{"b64_json": onePixel}
	}
	body := object{"created": created, "data": rows, "background": "opaque", "output_format": "png", "quality": "low", "size": "1024x1024"}
	if !c.usageMissing() {
		body["usage"] = usage.images()
	}
	c.json(body)
}

func (c *call) streamImage(usage counts) {
	s := c.newStream(true, func() object { return openAIErrors.body("server_error", failure, "") })
	image := func(kind string) object {
		return object{
			"type": kind, "b64_json": onePixel, "created_at": created, "background": "opaque",
			"output_format": "png", "quality": "low", "size": "1024x1024",
		}
	}
	partial := image("image_generation.partial_image")
	partial["partial_image_index"] = 0
	if !s.piece(partial) || !s.ending() {
		return
	}
	if !c.switches.NoDone {
		completed := image("image_generation.completed")
		if !c.usageMissing() {
			completed["usage"] = usage.images()
		}
		s.event(completed)
	}
	s.close()
}
