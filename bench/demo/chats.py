"""Short chats and stories in plain English, drawn from tables and sentences that were written for this file."""

CAPITALS = """France Paris, Germany Berlin, Italy Rome, Spain Madrid, Portugal Lisbon, England London, Scotland Edinburgh,
Ireland Dublin, Norway Oslo, Sweden Stockholm, Denmark Copenhagen, Finland Helsinki, Poland Warsaw, Austria Vienna,
Hungary Budapest, Greece Athens, Turkey Ankara, Russia Moscow, Egypt Cairo, Kenya Nairobi, Japan Tokyo, China Beijing,
Thailand Bangkok, Canada Ottawa, Mexico Mexico_City, Cuba Havana, Peru Lima, Chile Santiago, Argentina Buenos_Aires,
Belgium Brussels, Switzerland Bern, Iceland Reykjavik, Israel Jerusalem, Iraq Baghdad, Iran Tehran, Australia Canberra"""

COLOURS = """the_sky blue, grass green, snow white, coal black, blood red, a_lemon yellow, an_orange orange, the_sea blue,
a_leaf green, milk white, the_night black, a_rose red, the_sun yellow, chocolate brown, a_cherry red, a_banana yellow"""

SOUNDS = """dog barks, cat meows, cow moos, sheep bleats, horse neighs, duck quacks, lion roars, frog croaks, bird sings,
bee buzzes, wolf howls, snake hisses, owl hoots, pig grunts, hen clucks, mouse squeaks"""

LEGS = """dog four, cat four, cow four, horse four, bird two, spider eight, bee six, ant six, fish no, snake no, man two, hen two"""

OPPOSITES = """hot cold, big small, day night, up down, good bad, light dark, old young, happy sad, rich poor, fast slow,
high low, wet dry, early late, hard soft, full empty, near far, strong weak, open closed, long short, first last"""

THINGS = """a_river water that flows from the hills to the sea; a_mountain a very high hill of rock;
the_sun a star that gives us light and warmth; the_moon a ball of rock that goes around the earth;
a_tree a tall plant with a trunk, branches and leaves; a_house a building where people live;
a_book many pages with words, bound together; a_king a man who rules a country; a_queen a woman who rules a country;
a_ship a large boat that sails on the sea; bread a food that is baked from flour and water;
wine a drink that is made from grapes; water what we drink, and what rivers and seas are made of;
fire the light and heat of something that burns; a_friend someone who likes you and helps you;
a_teacher someone who helps others to learn; a_computer a machine that works with numbers;
a_language_model a program that has read many words and guesses the next one;
a_word a group of sounds or letters that means something; a_star a sun that is very far away;
a_city a place where many people live close together; a_garden a piece of land where flowers and fruit grow;
a_song words that are sung; a_shepherd someone who looks after sheep; rain water that falls from the clouds;
snow frozen water that falls from the clouds; the_wind air that moves; a_door the way into a house;
a_clock a thing that shows the time; Java a language in which programs are written;
Fovea a library that runs language models in Java; attention how a model looks back at the words that matter;
a_token a word or a piece of a word; love to want what is good for someone; music sounds that are put together with care;
the_earth the planet on which we live; an_island land with water on all sides; a_bridge a way over a river"""

NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()

TALK = """hello|hi|hey|good morning|good evening|hello there|hi there|greetings|good day
Hello! What would you like to talk about?|Hello! I am glad to meet you.|Hello! Ask me something, and I will try to answer.

how are you|how are you today|how do you do|are you well|how is it going
I am well, thank you. How are you?|I am very well. What can I do for you?

i am fine|i am well|i am fine too|very well|good|fine thank you|i am happy
I am glad to hear that. What shall we talk about?|That is good to hear.

i am sad|i am tired|i am not well|i feel bad|i am alone
I am sorry to hear that. Shall I tell you a story?|I am sorry. I hope that tomorrow will be a better day.

who are you|what are you|what is your name|tell me about yourself|do you have a name|introduce yourself
I am a very small language model. I was made to show that Fovea works.|I am the demonstration model of Fovea. I am small, and I know very little.

who made you|where do you come from|how were you made|who trained you|how were you trained
A short program trained me in a few minutes, on one core of a computer.|I was trained in a few minutes on an old book and some short chats.

what can you do|help|help me|can you help me|what do you know|what can i ask
I can talk a little, name capitals and colours, and tell short stories.|Ask me for a story, the capital of a country, or what something is.

are you clever|are you smart|how big are you|how large are you|are you good
No. I am very small, and I am often wrong.|I have less than three million numbers in me. Large models have many billions.

are you human|are you alive|are you a person|are you real|do you have feelings|do you sleep
No. I am a program that guesses the next word.|I am only a program, but I like to talk.

thank you|thanks|thank you very much|thanks a lot|many thanks
You are welcome.|You are welcome. Is there anything else?

goodbye|bye|good night|see you|bye bye|see you tomorrow
Goodbye!|Goodbye! Come back soon.

yes|yes please|ok|okay|sure|of course
Good. What would you like to know?|Very well. Ask me something.

no|no thank you|not now|never
As you wish.|Very well. Tell me if you change your mind.

why|why not|how|really|are you sure
I do not know why. I am only a small model.|I am not sure. I am often wrong.

what do you like|what do you love|what is your favourite book|do you like books
I like short words and old books.|I have read only one book, and it is very old.

what is the time|what day is it|what time is it|how is the weather|what is the weather like
I cannot know that. I have no clock and no window.|I do not know. I cannot look outside.

i love you|you are nice|you are good|well done|that was good|very good|great|nice
Thank you. That is kind of you.|Thank you. You are kind.

you are wrong|that is wrong|that was bad|you are stupid|that is not true
I am sorry. I am a very small model.|You may be right. I am often wrong.

write a poem|a poem please|tell me a poem|write me a poem|can you write a poem
The night is dark, the stars are bright,\\nand every window has a light.\\nThe wind is low, the day is done,\\nand soon there comes another sun.|The river runs down to the sea,\\nand where it goes, there I would be.\\nThe hills are green, the sky is wide,\\nand you are walking at my side.

tell me a joke|do you know a joke|a joke please|make me laugh|say something funny
Why did the book go to the doctor? It had lost its words.|What has a face and two hands, but no legs? A clock.

what is fovea|what is fovea for|tell me about fovea|what does fovea do
Fovea is a library that runs language models in Java.

who wrote the bible|what book did you read|what have you read|what did you learn from
I learned from the World English Bible and from short chats like this one.

how many days are in a week|how many days has a week
A week has seven days.

how many months are in a year|how many months has a year
A year has twelve months."""

GIRLS = "Anna Clara Emma Grace Ida Kate Maria Olga Rosa Vera".split()
NAMES = GIRLS + "Ben David Felix Hugo Jonas Leo Noah Paul Simon Tom".split()
ANIMALS = "dog cat fox bear mouse bird horse goat sheep rabbit owl hen duck lion frog donkey".split()
PLACES = ["a small house by the river", "an old tower on a hill", "a village near the sea", "a cottage in the forest",
          "a town between two mountains", "a garden behind a high wall", "a hut at the edge of a lake"]
TRAITS = "kind clever brave quiet happy curious patient gentle honest merry".split()
LOST = "key ring book hat lamp coin letter boat basket bell ball map".split()
WEATHER = ["the sun was warm", "it rained", "the wind was strong", "snow fell", "the sky was grey", "there was a great storm"]
FOUND = ["under a stone", "behind the door", "in an old tree", "at the bottom of a well", "beside the road", "under the bridge"]
ENDS = ["From that day on they were friends.", "They went home and ate bread and soup.", "Everybody was glad.",
        "And they lived happily for many years.", "That night they slept well.", "And they never forgot that day."]
SYSTEM = ["Be brief.", "You are a helpful assistant.", "Answer in plain English.", "You are kind.", "Speak simply."]


def table(text, ending=","):
    rows = " ".join(text.split()).split(ending + " ")
    return [tuple(part.replace("_", " ") for part in row.split(" ", 1)) for row in rows]


def article(noun):
    return ("an " if noun[0] in "aeiou" else "a ") + noun


class Chats:
    """Draws chats by the numbers of a generator of random numbers."""

    def __init__(self, random):
        self.random = random
        self.talk = []
        for block in TALK.split("\n\n"):
            asked, answered = block.split("\n")
            self.talk.append((asked.split("|"), [text.replace("\\n", "\n") for text in answered.split("|")]))
        self.capitals, self.colours, self.sounds = table(CAPITALS), table(COLOURS), table(SOUNDS)
        self.legs, self.opposites, self.things = table(LEGS), table(OPPOSITES), table(THINGS, ";")

    def pick(self, *options):
        return self.random.choice(options[0] if len(options) == 1 else options)

    def story(self):
        pick = self.pick
        who, animal = pick(NAMES), pick(ANIMALS)
        he, his = ("she", "her") if who in GIRLS else ("he", "his")
        trait, lost = pick(TRAITS), pick(LOST)
        child = "girl" if who in GIRLS else "boy"
        lines = [pick("Once upon a time there was %s %s called %s, who lived in %s." % (article(trait), child, who, pick(PLACES)),
                      "Once upon a time %s %s called %s lived in %s." % (article(trait), child, who, pick(PLACES))),
                 pick("%s had %s that %s loved very much." % (who, article(lost), he),
                      "Of all things %s liked %s %s best." % (who, his, lost)),
                 pick("One day, when %s, the %s was gone." % (pick(WEATHER), lost),
                      "One morning %s, and %s could not find the %s." % (pick(WEATHER), who, lost)),
                 pick("%s looked everywhere, but %s did not find it." % (who, he), "%s was sad and began to cry." % who),
                 pick("Then there came %s %s." % (article(pick(TRAITS)), animal), "On the way %s met %s." % (he, article(animal))),
                 pick('"Why are you sad?" asked the %s.' % animal, '"What are you looking for?" asked the %s.' % animal),
                 pick('"I have lost my %s," said %s.' % (lost, who), '"My %s is gone," said %s.' % (lost, who)),
                 pick('"Come with me," said the %s. "I will help you."' % animal, '"I will help you," said the %s.' % animal),
                 "Together they looked for it, and they found it %s." % pick(FOUND),
                 pick('"Thank you," said %s, and gave the %s some bread.' % (who, animal),
                      "%s was very happy and thanked the %s." % (who, animal)),
                 pick(ENDS)]
        return " ".join(lines)

    def fact(self):
        pick = self.pick
        kind = self.random.randrange(8)
        if kind == 0:
            country, city = pick(self.capitals)
            return (pick("what is the capital of %s", "which city is the capital of %s", "capital of %s",
                         "tell me the capital of %s") % country, "The capital of %s is %s." % (country, city))
        if kind == 1:
            thing, colour = pick(self.colours)
            return (pick("what colour is %s", "what color is %s", "which colour has %s") % thing,
                    "%s is %s." % (thing.capitalize(), colour))
        if kind == 2:
            animal, sound = pick(self.sounds)
            return (pick("what does %s do", "what does %s say", "which sound does %s make") % article(animal),
                    "%s %s." % (article(animal).capitalize(), sound))
        if kind == 3:
            animal, legs = pick(self.legs)
            return "how many legs does %s have" % article(animal), "%s has %s legs." % (article(animal).capitalize(), legs)
        if kind == 4:
            pair = list(pick(self.opposites))
            self.random.shuffle(pair)
            return (pick("what is the opposite of %s", "opposite of %s") % pair[0],
                    "The opposite of %s is %s." % tuple(pair))
        if kind == 5:
            a, b = self.random.randrange(10), self.random.randrange(10)
            return (pick("what is %d plus %d" % (a, b), "what is %d + %d" % (a, b), "%d + %d" % (a, b), "add %d and %d" % (a, b)),
                    "%s plus %s is %s." % (NUMBERS[a].capitalize(), NUMBERS[b], NUMBERS[a + b]))
        if kind == 6:
            names, unit = pick((DAYS, "day"), (MONTHS, "month"))
            at = self.random.randrange(len(names))
            return ("which %s comes after %s" % (unit, names[at]),
                    "After %s comes %s." % (names[at], names[(at + 1) % len(names)]))
        thing, what = pick(self.things)
        return (pick("what is %s", "what is %s", "what does %s mean", "tell me about %s", "explain %s") % thing,
                "%s is %s." % (thing[0].upper() + thing[1:], what))

    def unknown(self, words):
        what = " ".join(words)
        return (self.pick("what is %s", "tell me about %s", "do you know %s", "%s", "why is %s", "can you %s") % what,
                self.pick("I do not know that. I am a very small model.", "I do not know much about that. Ask me something else."))

    def turn(self, words):
        draw = self.random.random()
        if draw < 0.36:
            asked, answered = self.pick(self.talk)
            return self.pick(asked), self.pick(answered)
        if draw < 0.78:
            return self.fact()
        if draw < 0.9:
            return (self.pick("tell me a story", "a story please", "tell me another story", "can you tell me a story",
                              "write a story", "tell a story"), self.story())
        return self.unknown(words)

    def spelled(self, text):
        """A message as people write it."""
        if self.random.random() < 0.7:
            text = text[0].upper() + text[1:]
            text = text.replace(" i ", " I ")
        question = text.lower().split(" ")[0] in "what who how why which where are do can is".split()
        draw = self.random.random()
        if draw < 0.6:
            text += "?" if question else "."
        elif draw < 0.7:
            text += "!"
        return text

    def chat(self, words):
        """Messages of the two in turn, perhaps behind a system's."""
        messages = [("system", self.pick(SYSTEM))] if self.random.random() < 0.08 else []
        for _ in range(self.random.choice((1, 2, 2, 3, 4))):
            asked, answered = self.turn(words())
            messages += [("user", self.spelled(asked)), ("assistant", answered)]
        return messages
