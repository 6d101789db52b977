package world

// Words and sentences that no rule depends on: where and when things happen, and what passes between.

var (
	weekdays  = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	dayParts  = []string{"morning", "afternoon", "evening"}
	months    = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	resorts   = []string{"the market", "the beach", "the bridge", "the station", "the lighthouse", "the village square", "the hotel", "the camp", "the fair", "the castle"}
	sights    = []string{"a long bridge", "an old church", "a narrow street", "a deep valley", "a tall chimney", "a quiet river", "a small island", "a steep hill", "a wide field", "a dark forest", "a stone wall", "a little waterfall"}
	qualities = []string{"quiet", "lovely", "strange", "lively", "peaceful", "busy", "ordinary", "pleasant", "gloomy", "bright"}
	passers   = []string{"an old man", "a young couple", "two tall boys", "a group of tourists", "a noisy family", "a friendly stranger", "some cheerful students", "a tired traveler"}
	acts      = []string{"asked for the way", "waved at everyone", "stopped to take a picture", "sang an old song", "told a funny tale", "looked at the clouds", "sat down for a rest", "talked about the weather", "shared a few sandwiches", "played a game of cards"}
	skies     = []string{"the clouds moved slowly", "a light breeze came up", "the mist disappeared", "the shadows grew longer", "the moon rose", "the sky grew clear", "thunder could be heard far away", "the first stars appeared"}
)

// meeting opens a story.
func meeting(r *rng) string {
	switch r.n(4) {
	case 0:
		return "Three friends met at " + pick(r, resorts) + "."
	case 1:
		return "One " + pick(r, dayParts) + " in " + pick(r, months) + ", three friends came to " + pick(r, resorts) + "."
	case 2:
		return "On " + pick(r, weekdays) + " three neighbors went to " + pick(r, resorts) + " together."
	}
	return "It was a " + pick(r, qualities) + " " + pick(r, dayParts) + " in " + pick(r, months) + "."
}

// scenery is one sentence in which nobody of the story has a part.
func scenery(r *rng) string {
	switch r.n(9) {
	case 0:
		return "It was a " + pick(r, qualities) + " " + pick(r, dayParts) + ", and " + pick(r, skies) + "."
	case 1:
		return "Soon " + pick(r, passers) + " came by and " + pick(r, acts) + "."
	case 2:
		return "Behind " + pick(r, resorts) + " there was " + pick(r, sights) + "."
	case 3:
		two := sample(r, months, 2)
		return "Some people said that " + two[0] + " was more " + pick(r, []string{"peaceful", "beautiful", "exciting", "boring", "colorful"}) + " than " + two[1] + "."
	case 4:
		return "After an hour " + pick(r, skies) + ", and it became very " + pick(r, []string{"quiet", "calm", "still", "cool", "warm"}) + "."
	case 5:
		return "They walked from " + pick(r, resorts) + " to " + pick(r, sights) + "."
	case 6:
		two := sample(r, sights, 2)
		return "Far away they could see " + two[0] + " and " + two[1] + "."
	case 7:
		return "For a while everybody " + pick(r, acts) + "."
	}
	return "On the way " + pick(r, passers) + " " + pick(r, acts) + ", and " + pick(r, skies) + "."
}
