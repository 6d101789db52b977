package world

// The rules. Each table is balanced: every value belongs to equally many keys (or, for materials, both
// outcomes of an event have equally many), so that no value is a better guess than another.

type person struct {
	name   string
	female bool
}

func (p person) she() string {
	if p.female {
		return "she"
	}
	return "he"
}

func (p person) her() string {
	if p.female {
		return "her"
	}
	return "his"
}

var people = func() []person {
	var out []person
	women := []string{"Anna", "Bella", "Clara", "Daisy", "Emma", "Fiona", "Grace", "Helen", "Iris", "Julia", "Kate", "Laura",
		"Maria", "Nora", "Olivia", "Paula", "Queenie", "Rosa", "Sarah", "Tina", "Uma", "Vera", "Wendy", "Zoe"}
	men := []string{"Adam", "Ben", "Carl", "David", "Eric", "Frank", "George", "Henry", "Ivan", "Jack", "Kevin", "Leo",
		"Max", "Noah", "Oscar", "Peter", "Quentin", "Robert", "Simon", "Tom", "Umar", "Victor", "Walter", "Zach"}
	for i := range women {
		out = append(out, person{women[i], true}, person{men[i], false})
	}
	return out
}()

// animal: what it eats, where it sleeps, and, for half of them, its sound as a verb and as a noun.
type animal struct{ name, plural, food, home, verb, sound string }

var animals = []animal{
	{"horse", "horses", "hay", "stable", "neighs", "a neigh"},
	{"cow", "cows", "hay", "barn", "moos", "a moo"},
	{"cat", "cats", "fish", "basket", "meows", "a meow"},
	{"otter", "otters", "fish", "pond", "", ""},
	{"dog", "dogs", "meat", "basket", "barks", "a bark"},
	{"fox", "foxes", "meat", "den", "", ""},
	{"hen", "hens", "seeds", "garden", "clucks", "a cluck"},
	{"parrot", "parrots", "seeds", "tree", "", ""},
	{"donkey", "donkeys", "carrots", "stable", "brays", "a bray"},
	{"rabbit", "rabbits", "carrots", "den", "", ""},
	{"mouse", "mice", "nuts", "attic", "squeaks", "a squeak"},
	{"squirrel", "squirrels", "nuts", "tree", "", ""},
	{"frog", "frogs", "flies", "pond", "croaks", "a croak"},
	{"bat", "bats", "flies", "attic", "", ""},
	{"goat", "goats", "leaves", "barn", "bleats", "a bleat"},
	{"snail", "snails", "leaves", "garden", "", ""},
}

// toys can be made of any material.
var toys = []string{"boat", "ball", "star", "ring", "cup", "bowl", "box", "spoon", "crown", "bell", "plate", "button",
	"wheel", "doll", "heart", "tower", "bird", "ship", "duck", "flower", "mask", "coin", "train", "house"}

// event: what is done to a toy, and what the two groups of materials then do. The groups have the same
// size.
type event struct {
	place string      // where it happens: "lake"
	at    string      // "in the lake"
	done  string      // what a person did: "put it in the lake"
	is    [2]string   // what the two groups do, as a rule
	was   [2]string   // what one toy did
	will  [2]string   // what it will do
	made  [2][]string // the two groups
}

var events = []event{
	{"lake", "in the lake", "put it in the lake", [2]string{"floats in the lake", "sinks in the lake"},
		[2]string{"floated on the water", "sank to the bottom"}, [2]string{"float", "sink"},
		[2][]string{{"wood", "cork", "wax", "plastic"}, {"iron", "stone", "glass", "gold"}}},
	{"fire", "in the fire", "held it in the fire", [2]string{"burns in the fire", "stays safe in the fire"},
		[2]string{"burned to ashes", "did not burn"}, [2]string{"burn", "stay safe"},
		[2][]string{{"wood", "paper", "wool", "cotton"}, {"iron", "stone", "glass", "clay"}}},
	{"sun", "in the sun", "left it in the sun", [2]string{"melts in the sun", "stays hard in the sun"},
		[2]string{"melted away", "stayed hard"}, [2]string{"melt", "stay hard"},
		[2][]string{{"wax", "ice", "chocolate", "snow"}, {"iron", "clay", "wood", "gold"}}},
	{"floor", "on the floor", "dropped it on the floor", [2]string{"breaks on the floor", "stays whole on the floor"},
		[2]string{"broke into pieces", "stayed in one piece"}, [2]string{"break", "stay whole"},
		[2][]string{{"glass", "clay", "ice", "chocolate"}, {"rubber", "wool", "gold", "cork"}}},
	{"rain", "in the rain", "left it in the rain", [2]string{"gets soft in the rain", "stays strong in the rain"},
		[2]string{"got soft and wet", "stayed dry inside"}, [2]string{"get soft", "stay strong"},
		[2][]string{{"paper", "bread", "cotton", "leather"}, {"plastic", "rubber", "stone", "glass"}}},
	{"hand", "in the hand", "squeezed it in the hand", [2]string{"bends in the hand", "stays stiff in the hand"},
		[2]string{"bent at once", "did not bend"}, [2]string{"bend", "stay stiff"},
		[2][]string{{"rubber", "paper", "leather", "wool"}, {"iron", "stone", "clay", "plastic"}}},
}

// tool: the one tool that does a piece of work.
type tool struct{ work, working, name string }

var tools = []tool{
	{"cut the bread", "cutting bread", "a knife"},
	{"hit the nail", "hitting nails", "a hammer"},
	{"dig a hole", "digging holes", "a spade"},
	{"sweep the floor", "sweeping floors", "a broom"},
	{"cut the board", "cutting boards", "a saw"},
	{"paint the wall", "painting walls", "a brush"},
	{"open the lock", "opening locks", "a key"},
	{"write a letter", "writing letters", "a pen"},
	{"sew the shirt", "sewing shirts", "a needle"},
	{"measure the table", "measuring tables", "a ruler"},
	{"see the stars", "seeing stars", "a telescope"},
	{"climb the wall", "climbing walls", "a ladder"},
	{"catch the fish", "catching fish", "a net"},
	{"light the room", "lighting rooms", "a lamp"},
	{"carry the water", "carrying water", "a bucket"},
	{"tie the box", "tying boxes", "a rope"},
}

// job: where it is done, and what is done. No name shares its beginning with its place or its duty.
type job struct{ name, place, does string }

var jobs = []job{
	{"tailor", "workshop", "sews suits"},
	{"farmer", "ranch", "raises sheep"},
	{"teacher", "school", "helps children"},
	{"doctor", "hospital", "heals people"},
	{"sailor", "dock", "steers ships"},
	{"nurse", "clinic", "ties bandages"},
	{"clerk", "office", "copies letters"},
	{"judge", "court", "hears cases"},
	{"pilot", "airport", "flies planes"},
	{"singer", "theater", "rehearses songs"},
	{"sheriff", "jail", "locks cells"},
	{"fisher", "harbor", "mends nets"},
	{"gardener", "park", "plants roses"},
	{"smith", "forge", "shapes swords"},
	{"guard", "museum", "watches doors"},
	{"cook", "restaurant", "boils soup"},
}

// cause: what happens, and what a person does then (past, at most seven words).
type cause struct{ happened, did string }

var causes = []cause{
	{"It started to rain", "opened an umbrella"},
	{"The sun was very hot", "sat down in the shade"},
	{"The wind was cold", "put on a warm coat"},
	{"The night was very dark", "lit a small lamp"},
	{"The milk fell over", "wiped the wet table"},
	{"The soup was too hot", "blew on the spoon"},
	{"The bus was late", "walked to town instead"},
	{"A bee came too close", "ran away from it"},
	{"There was a hole in the shoe", "asked for a new pair"},
	{"The alarm clock rang", "got out of bed"},
	{"There was no bread left", "bought a fresh loaf"},
	{"The music began", "started to dance"},
	{"The baby was asleep", "spoke in a whisper"},
	{"The door was locked", "knocked three times"},
	{"The fire went out", "brought some dry wood"},
	{"The plants were dry", "filled the watering can"},
	{"The road was icy", "walked with small steps"},
	{"The joke was very good", "laughed out loud"},
	{"The story was sad", "began to cry"},
	{"The letter was for someone else", "gave it back"},
}

// routine: steps in their fixed order (past, at most seven words). Each has steps enough that four
// options can come from it.
type routine struct {
	title string
	steps []string
}

var routines = []routine{
	{"Making tea", []string{"filled the kettle with water", "put the kettle on the stove", "waited for the water to boil",
		"poured the water into a pot", "added some tea leaves", "poured the tea into a cup", "drank the tea slowly"}},
	{"Baking a cake", []string{"read the recipe for the cake", "mixed the flour and the eggs", "put the dough into a pan",
		"put the pan into the oven", "waited for one hour", "took the cake out", "ate the first slice"}},
	{"Washing the dishes", []string{"carried the dirty plates to the sink", "filled the sink with warm water", "added a little soap",
		"scrubbed every plate", "rinsed off the soap", "dried the plates with a towel", "put the plates on the shelf"}},
	{"Planting a tree", []string{"chose a sunny spot", "dug a deep hole", "set the young tree in it",
		"filled the hole with earth", "watered the roots", "tied the tree to a stick", "watched the tree grow"}},
	{"Going to bed", []string{"put on soft pajamas", "brushed every tooth", "chose a book from the pile",
		"climbed into bed", "read two pages", "turned off the light", "fell asleep"}},
	{"Starting the day", []string{"woke up early", "got up and stretched", "took a quick shower",
		"got dressed", "ate a big breakfast", "packed a bag", "left the house"}},
	{"Washing clothes", []string{"gathered the dirty shirts", "put them into the machine", "poured in the powder",
		"pressed the start button", "took out the wet shirts", "hung them on a line", "folded the dry shirts"}},
	{"Making a campfire", []string{"found a safe place", "made a circle of stones", "piled up dry sticks",
		"struck a match", "lit the sticks", "cooked a sausage", "put out the flames"}},
	{"Sending a letter", []string{"took out a sheet of paper", "wrote a long letter", "folded the paper",
		"put it into an envelope", "wrote the address on it", "stuck a stamp on it", "dropped it into the mailbox"}},
	{"Painting a picture", []string{"set up a white canvas", "drew a thin outline", "opened the paints",
		"painted the sky blue", "painted the hills green", "let the paint dry", "hung up the picture"}},
	{"Making soup", []string{"washed the vegetables", "peeled and chopped them", "heated some oil in a pot",
		"fried the vegetables", "added water and salt", "stirred for a long time", "served the soup"}},
	{"Fixing a bicycle", []string{"turned the bicycle over", "took off the flat wheel", "found the hole in the tube",
		"glued a patch on it", "pumped up the tube", "put the wheel back", "rode down the street"}},
}

// Things of stories alone: facts that hold only within one.
var (
	things     = []string{"letter", "watch", "map", "flute", "book", "scarf", "candle", "photo", "whistle", "pencil", "purse", "notebook"}
	containers = []string{"drawer", "chest", "pocket", "jar", "suitcase", "cupboard", "bag", "wardrobe", "barrel", "desk", "tin", "backpack"}
	colours    = []string{"red", "blue", "green", "yellow", "white", "black", "brown", "purple", "orange", "pink", "gray", "golden"}
	clothes    = []string{"hat", "coat", "shirt", "cap", "jacket", "sweater"}
)
