import { patterns } from './prompt-words.ts'

/** How the camera moves through a clip. */
export const CAMERA_MOVES = ['zoomIn', 'zoomOut', 'panLeft', 'panRight', 'rise', 'orbit', 'static', 'drift'] as const
export type CameraMove = (typeof CAMERA_MOVES)[number]

/** Words that direct the camera; each line is one language: English, French, Russian, Hindi, Indonesian. */
export const CAMERA_WORDS = {
  zoomIn: patterns(`
    zoom+in zooms+in zooming+in zoom push+in pushes+in dolly+in closer close+up
    zoom+avant travelling+avant rapproch* gros+plan
    приближ* наезд* крупн* зум
    जूम+इन जूम करीब नजदीक पास
    perbesar* mendekat* memperbesar close+up`),
  zoomOut: patterns(`
    zoom+out zooms+out zooming+out pull+back pulls+back pull+out dolly+out
    zoom+arriere travelling+arriere recul* eloign*
    отдал* отъезд* удаля*
    जूम+आउट दूर
    menjauh* perkecil* memperkecil zoom+keluar`),
  panLeft: patterns(`
    pan+left pans+left panning+left left
    panoramique+gauche vers+la+gauche gauche
    влево налево
    बाएं* बाएँ* बायी* बाई+ओर
    kiri`),
  panRight: patterns(`
    pan+right pans+right panning+right right
    panoramique+droite vers+la+droite droite
    вправо направо
    दाएं* दाएँ* दायी* दाई+ओर
    kanan`),
  rise: patterns(`
    rise* rising crane drone aerial* tilt+up flyover ascend*
    aerien* drone s+eleve plongee ascension
    подним* дрон* сверху аэро*
    ऊपर ड्रोन
    naik drone udara`),
  orbit: patterns(`
    orbit* rotat* circl* around 360 spin* revolv*
    orbite* tourn* autour rotation*
    вращ* вокруг облет* круж*
    घूम* चारो+ओर परिक्रमा*
    mengorbit* berputar* memutar* mengelilingi putaran`),
  static: patterns(`
    static+shot static locked+off tripod still+camera fixed+camera
    statique* plan+fixe camera+fixe trepied
    статичн* неподвижн* штатив*
    स्थिर* तिपाई
    statis kamera+diam diam tripod`),
} as const satisfies Record<Exclude<CameraMove, 'drift'>, unknown>

/** Words for a pan that name no side; it then goes to the right, as one reads. */
export const PAN_WORDS = patterns(`
  pan pans panning panorama* panoramic tracking
  panoramique* travelling
  панорам*
  पैन
  panorama* geser* bergeser`)
