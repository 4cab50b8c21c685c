import { patterns } from './prompt-words.ts'

/** The light that a scene stands in. */
export const TIMES_OF_DAY = ['dawn', 'day', 'sunset', 'night'] as const
export type TimeOfDay = (typeof TIMES_OF_DAY)[number]

/** Words that name the light; each line is one language: English, French, Russian, Hindi, Indonesian. */
export const TIME_WORDS = {
  dawn: patterns(`
    dawn sunrise* daybreak morning* mist misty fog foggy
    aube aurore lever+du+soleil matin* brume* brouillard*
    рассвет* утро утра утром утренн* восход* туман*
    भोर सुबह* सवेरे सवेरा सूर्योदय* कोहरा कोहरे धुंध
    fajar subuh pagi* matahari+terbit kabut* berkabut`),
  day: patterns(`
    day daytime daylight sunny sunlit noon midday afternoon
    jour journee ensoleill* midi soleil apres+midi
    день днем дневн* солнечн* полдень полуденн* солнц*
    दिन* दोपहर* धूप* उजाला उजाले
    siang* cerah tengah+hari`),
  sunset: patterns(`
    sunset* dusk twilight golden+hour evening*
    coucher* crepuscule* soir soiree heure+doree
    закат* сумерк* вечер* золотой+час
    सूर्यास्त* शाम* संध्या* सांझ गोधूलि
    matahari+terbenam senja* sore* petang`),
  night: patterns(`
    night nights midnight moonlit moonlight nighttime nocturnal dark starry
    nuit nuits minuit nocturne* sombre* etoilee
    ночь ночи ночью ночн* полночь темн* лунн*
    रात* आधी+रात अंधेरा अंधेरे अँधेरे चाँदनी चांदनी
    malam* tengah+malam gelap`),
} as const satisfies Record<TimeOfDay, unknown>
