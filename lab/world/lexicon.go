package world

import "strings"

// Words of the varied world: thousands of names made of syllables, and everyday
// nouns, qualities and deeds that no rule depends on.

// names are given names, towns are places; both begin with a capital.
var names, towns = makeNames()

// namesHeld says which names and towns stand in questions alone: every eighth.
func namesHeld(i int) bool { return i%8 == 7 }

// makeNames multiplies beginnings and endings out, so that names share their parts
// and a name is known only by all of them. None begins with the z of invented words.
func makeNames() (given, places []string) {
	onsets := []string{"B", "Br", "C", "Cr", "D", "Dr", "F", "Fl", "G", "Gr", "H", "J", "K", "L", "M", "N", "P", "Pr", "R", "S", "St", "T", "Tr", "V", "W"}
	middles := []string{"a", "ar", "e", "el", "i", "in", "o", "or", "u", "un"}
	ends := []string{"bin", "da", "dric", "fa", "gan", "la", "lis", "mo", "nar", "rik", "ro", "sha", "ta", "ven", "vy", "wen", "xa", "yo"}
	sites := []string{"bury", "by", "dale", "ford", "ham", "holm", "mouth", "ness", "port", "stead", "ton", "wick"}
	for _, a := range onsets {
		for _, b := range middles {
			for _, c := range ends {
				given = append(given, a+b+c)
			}
			for _, c := range sites {
				places = append(places, a+b+c)
			}
		}
	}
	return given, places
}

// anyOf draws a name of the side of the hold-out that s is on.
func anyOf(r *rng, all []string, s split) string {
	for {
		if i := r.n(len(all)); namesHeld(i) == (s == heldOut) {
			return all[i]
		}
	}
}

// differentOf draws k different ones.
func differentOf(r *rng, all []string, s split, k int) []string {
	var out []string
	seen := map[string]bool{}
	for len(out) < k {
		if name := anyOf(r, all, s); !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}

var goods = strings.Fields(`anchor apron arrow axe bag ball banner barrel basin basket bead bell belt bench blanket board boat bone
	book boot bottle bow bowl box bracelet branch brick bridle broom brush bucket button cabinet cage candle canoe cap card carpet cart case chain chair
	chalk chest chisel clock cloak coat coin collar comb compass cork crate crown cup curtain cushion desk dice dish doll door drum duster easel
	envelope feather fence fiddle flag flask flute fork frame funnel gate glass globe glove gong hammer handle harp hat helmet hinge hook hoop horn
	hose jacket jar jewel jug kettle key kite knife ladder lamp lantern lens letter lever lid lock locket loom mallet map marble mask mast mat
	medal mill mirror mitten mortar mug nail necklace needle net notebook oar oven paddle pail painting pan parcel peg pen pencil pendant piano
	picture pillow pin pipe pitcher plank plate plough pot pouch pulley pump purse quilt raft rake razor ribbon ring robe rocket rod roof rope rug
	ruler sack saddle sail saucer saw scale scarf scissors scroll seal shawl shelf shell shield shirt shoe shovel sickle sieve sledge slipper spade
	spear spindle spoon stamp statue stick stool stove strap string sword table tablet tassel teapot tent thimble ticket tile tongs torch towel toy
	tray trumpet trunk tub umbrella urn vase veil violin wagon wallet watch wheel whip whistle wig window wreath yoke`)

var looks = strings.Fields(`amber black blue brass broken brown carved copper dented dusty faded golden green grey heavy iron
	ivory large leather light little narrow new old orange painted pale pink plain polished purple red round rusty sharp shiny silver small smooth square
	stone striped tall thin tiny torn velvet white wide wooden woven yellow`)

var deeds = strings.Fields(`admired borrowed bought brought carried cleaned copied counted described drew dropped examined fetched
	found hid inherited kept lent liked lost measured mended missed moved noticed packed painted polished praised remembered repaired returned sold
	stored touched unpacked valued wanted washed weighed wrapped`)

// cargo is a thing with a look: "dusty lantern".
func cargo(r *rng) string { return pick(r, looks) + " " + pick(r, goods) }
