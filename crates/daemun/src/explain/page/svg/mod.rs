//! The drawing of a page: three bands, of which the middle one is the way that traffic takes. It is a function of the
//! page alone, and stands by itself or inside of a page of HTML.

mod card;
mod look;
mod pen;
mod routes;

use super::lang::Lang;
use super::words as w;
use super::{Link, Owner, Page, Reach, Remedy, Standing, State, Station, Trouble, Way, Wrong};
use card::Card;
use look::{BAND, Face, KEY, MUTED, PLAIN, TITLE, WORD, of_trouble};
use pen::{Area, Pen, of_owner};

pub(super) use pen::{of_owner as class_of_owner, of_state as class_of_state};

/// The drawing's width.
const WIDTH: usize = 1180;
const MARGIN: usize = 24;
/// Between a band's edge and its boxes.
const PAD: usize = 18;
/// Between two boxes beside each other, where an arrow goes.
const GAP: usize = 34;
/// Between two bands.
const BETWEEN: usize = 18;
/// Ways in that are drawn.
const MOST_WAYS: usize = 3;

/// The drawing as a file of its own.
pub(super) fn alone(page: &Page) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}",
        drawing(page)
    )
}

/// The drawing as an element.
pub(super) fn drawing(page: &Page) -> String {
    let mut sheet = Sheet {
        pen: Pen::default(),
        lang: page.lang,
        y: MARGIN,
    };
    sheet.title(page);
    if let Some(wrong) = &page.first_wrong {
        sheet.wrong(wrong);
    }
    sheet.rules(page);
    sheet.ways(page);
    sheet.routes(page);
    sheet.legend(page);
    let height = sheet.y + MARGIN;
    let title = super::markup::escape(&page.headline);
    let code = page.lang.code();
    let back = Area {
        x: 0,
        y: 0,
        width: WIDTH,
        height,
    };
    let mut under = Pen::default();
    under.rect(back, "d-back", 0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"d-sheet\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" lang=\"{code}\" xml:lang=\"{code}\">\n<title>{title}</title>\n<style>{}</style>\n{}{}</svg>\n",
        look::STYLE,
        under.drawn,
        sheet.pen.drawn
    )
}

struct Sheet {
    pen: Pen,
    lang: Lang,
    /// Where the next thing begins.
    y: usize,
}

impl Sheet {
    fn title(&mut self, page: &Page) {
        for line in TITLE.lines(&page.headline, WIDTH - 2 * MARGIN, 3) {
            self.y += TITLE.leading;
            self.pen.text((MARGIN, self.y - 6), TITLE.class, &line);
        }
        self.y += 12;
    }

    /// A box with what is wrong first.
    fn wrong(&mut self, wrong: &Wrong) {
        let inside = WIDTH - 2 * MARGIN - 96;
        let owner = wrong.owner.word().plain(self.lang);
        let first = w::FIRST_WRONG.say(self.lang, &[&wrong.object, &owner]);
        let mut text: Vec<(Face, String)> = Vec::new();
        let mut put = |face: Face, most, told: &str| {
            let lines = face.lines(told, inside, most);
            text.extend(lines.into_iter().map(|line| (face, line)));
        };
        put(of_trouble(wrong.state), 2, &first);
        let Trouble {
            what,
            message: _, // is quoted
            spot,
            remedies,
        } = &wrong.trouble;
        put(PLAIN, 4, what);
        put(
            MUTED,
            4,
            &wrong.trouble.quoted(self.lang).unwrap_or_default(),
        );
        if let Some(spot) = spot {
            put(KEY, 1, &spot.to_string());
        }
        for Remedy { says, paste } in remedies.iter().take(3) {
            put(PLAIN, 2, &format!("→ {says}"));
            for line in paste {
                put(KEY, 1, line);
            }
        }
        let height = text.iter().map(|(face, _)| face.leading).sum::<usize>() + 22;
        let area = Area {
            x: MARGIN,
            y: self.y,
            width: WIDTH - 2 * MARGIN,
            height,
        };
        let class = if wrong.state == State::Bad {
            "d-alarm"
        } else {
            "d-notice"
        };
        self.pen.rect(area, class, 6);
        self.pen.state((MARGIN + 16, self.y + 13), wrong.state);
        let mut base = self.y + 8;
        for (face, line) in &text {
            base += face.leading;
            // What is to be typed stands further in than the sentences.
            let inset = if face.class == KEY.class { 62 } else { 44 };
            self.pen.text((MARGIN + inset, base), face.class, line);
        }
        self.y += height + BETWEEN;
    }

    /// Draws a band's ground and name; gives where its boxes begin. Its height must be known.
    fn band(&mut self, name: &str, also: &str, inner: usize) -> usize {
        let head = PAD + BAND.size + 14;
        let area = Area {
            x: MARGIN,
            y: self.y,
            width: WIDTH - 2 * MARGIN,
            height: head + inner + PAD,
        };
        self.pen.rect(area, "d-band", 10);
        let base = self.y + PAD + BAND.size - 4;
        self.pen.text((MARGIN + PAD, base), BAND.class, name);
        if !also.is_empty() {
            let right = WIDTH - MARGIN - PAD;
            self.pen.text_to((right, base), MUTED.class, also);
        }
        let top = self.y + head;
        self.y += head + inner + PAD + BETWEEN;
        top
    }

    fn rules(&mut self, page: &Page) {
        let all = [&page.class, &page.controller, &page.rule];
        let width = width_of(all.len());
        let cards = all.map(|station| Card::new(station, "", (width, self.lang)));
        let height = cards.iter().map(Card::height).max().unwrap_or_default();
        let top = self.band(&w::BAND_RULES.plain(self.lang), "", height);
        self.row(&cards, top, height);
    }

    /// Boxes beside each other, with arrows between.
    fn row(&mut self, cards: &[Card<'_>], top: usize, height: usize) {
        let width = width_of(cards.len());
        for (number, card) in cards.iter().enumerate() {
            let x = MARGIN + PAD + number * (width + GAP);
            card.draw(&mut self.pen, (x, top), height);
            if number > 0 {
                let middle = top + height / 2;
                self.pen.arrow(&[(x - GAP + 2, middle), (x - 3, middle)]);
            }
        }
    }

    fn ways(&mut self, page: &Page) {
        let lang = self.lang;
        let shown: Vec<&Way> = page.ways.iter().take(MOST_WAYS).collect();
        let also = callers(page).map_or_else(String::new, |it| it.plain(lang));
        let name = w::BAND_WAY.plain(lang);
        // In the order in which traffic goes.
        let rows: Vec<Vec<&Station>> = shown.iter().map(|way| in_order(way)).collect();
        let links = rows.iter().max_by_key(|row| row.len());
        let links = links
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(|it| it.link);
        let columns = Columns::of(&links.chain([Link::Proxies]).collect::<Vec<_>>());
        let last = columns.0.len() - 1;
        let mut proxies = Card::new(&page.proxies, "", (columns.width(last), lang));
        let mut rows: Vec<Vec<Card<'_>>> = rows
            .iter()
            .zip(&shown)
            .map(|(row, way)| {
                let others = way.addresses.len().saturating_sub(1);
                let row = row.iter().enumerate();
                row.map(|(column, it)| {
                    let also = if it.link == Link::Address && others > 0 {
                        w::MORE.say(lang, &[&others])
                    } else {
                        String::new()
                    };
                    Card::new(it, &also, (columns.width(column), lang))
                })
                .collect()
            })
            .collect();
        if rows.iter().flatten().chain([&proxies]).any(Card::is_below) {
            let all = rows.iter_mut().flatten().chain([&mut proxies]);
            all.for_each(Card::put_below);
        }
        let heights: Vec<usize> = rows
            .iter()
            .map(|row| row.iter().map(Card::height).max().unwrap_or_default())
            .collect();
        let of_proxies = proxies.height();
        let first = heights.first().copied().unwrap_or_default().max(of_proxies);
        let rest: usize = heights.iter().skip(1).map(|height| height + 16).sum();
        let more = page.ways.len().saturating_sub(MOST_WAYS);
        let note = if more > 0 { MUTED.leading + 6 } else { 0 };
        let top = self.band(&name, &also, first + rest + note);
        proxies.draw(&mut self.pen, (columns.at(last), top), first);
        let mut y = top;
        for (number, row) in rows.iter().enumerate() {
            let height = if number == 0 { first } else { heights[number] };
            for (column, card) in row.iter().enumerate() {
                let (x, width) = (columns.at(column), columns.width(column));
                card.draw(&mut self.pen, (x, y), height);
                let middle = y + height / 2;
                if column + 1 < row.len() || number == 0 {
                    let to = x + width + GAP - 3;
                    self.pen.arrow(&[(x + width + 2, middle), (to, middle)]);
                } else {
                    // The later ones lead to the same proxies.
                    let turn = columns.at(last) + columns.width(last) / 2;
                    let up = top + first + 3;
                    self.pen
                        .arrow(&[(x + width + 2, middle), (turn, middle), (turn, up)]);
                }
            }
            y += height + 16;
        }
        if more > 0 {
            let more = w::MORE.say(lang, &[&more]);
            let base = top + first + rest + MUTED.leading;
            self.pen.text((MARGIN + PAD, base), MUTED.class, &more);
        }
    }

    /// What colours and shapes mean.
    fn legend(&mut self, page: &Page) {
        let addon = page.stations().any(|it| it.owner == Owner::Addon);
        let base = self.y + 12;
        let made_by = |owner: &Owner| match owner {
            Owner::Cloud => !addon,
            Owner::Addon => addon,
            _ => true,
        };
        let owners = Owner::ALL.into_iter().filter(made_by);
        let owners = owners.map(|owner| (owner.word(), Sign::Owner(owner)));
        let states = [
            State::Good,
            State::Foreseen,
            State::Unknown,
            State::Waiting,
            State::Doubtful,
            State::Bad,
        ];
        let states = states.map(|state| (state.word(), Sign::State(state)));
        let owners = (w::LEGEND_OWNERS, owners.collect());
        let states = (w::LEGEND_STATES, states.to_vec());
        for (line, (heading, signs)) in [owners, states].into_iter().enumerate() {
            let base = base + line * 24;
            let mut x = MARGIN;
            let heading = heading.plain(self.lang);
            self.pen.text((x, base), WORD.class, &heading);
            x += 110;
            for (word, sign) in signs {
                let word = word.plain(self.lang);
                match sign {
                    Sign::Owner(owner) => {
                        let area = Area {
                            x,
                            y: base - 12,
                            width: 6,
                            height: 16,
                        };
                        self.pen.rect(area, &format!("d-{}", of_owner(owner)), 3);
                        x += 14;
                    }
                    Sign::State(state) => {
                        self.pen.state((x, base - 13), state);
                        x += 22;
                    }
                }
                self.pen.text((x, base), MUTED.class, &word);
                x += MUTED.width(&word) + 26;
            }
        }
        self.y = base + 24;
    }
}

#[derive(Clone, Copy)]
enum Sign {
    Owner(Owner),
    State(State),
}

/// The columns of the way in: what is said of some links takes more room.
struct Columns(Vec<(usize, usize)>);

impl Columns {
    fn of(links: &[Link]) -> Self {
        let share = |link: &Link| match link {
            Link::Address => 27,
            Link::Service => 32,
            Link::Class
            | Link::Controller
            | Link::Gateway
            | Link::Proxies
            | Link::LoadBalancer
            | Link::Listener
            | Link::Route => 21,
        };
        let inside = WIDTH - 2 * MARGIN - 2 * PAD - (links.len() - 1) * GAP;
        let sum: usize = links.iter().map(share).sum();
        let mut x = MARGIN + PAD;
        let columns = links.iter().map(|link| {
            let width = inside * share(link) / sum;
            let at = x;
            x += width + GAP;
            (at, width)
        });
        Self(columns.collect())
    }

    fn at(&self, column: usize) -> usize {
        self.0.get(column).map_or(MARGIN, |(at, _)| *at)
    }

    fn width(&self, column: usize) -> usize {
        self.0.get(column).map_or(WIDTH, |(_, width)| *width)
    }
}

/// The width of each of so many boxes beside each other.
fn width_of(boxes: usize) -> usize {
    let inside = WIDTH - 2 * MARGIN - 2 * PAD;
    let boxes = boxes.max(1);
    (inside - (boxes - 1) * GAP) / boxes
}

/// The links of a way, from the outside in. Of several addresses the first stands for all, unless a later one is worse.
fn in_order(way: &Way) -> Vec<&Station> {
    let mut worst: Option<&Station> = None;
    for address in &way.addresses {
        if worst.is_none_or(|it| address.state > it.state) {
            worst = Some(address);
        }
    }
    let made = way.load_balancer.iter().chain(&way.service);
    worst.into_iter().chain(made).collect()
}

/// Who reaches the addresses.
fn callers(page: &Page) -> Option<super::lang::Words> {
    match page.standing {
        Standing::Closed => return Some(w::CALLERS_CLOSED),
        Standing::Refused | Standing::NothingMade | Standing::ClassRefused => return None,
        Standing::Serving => {}
    }
    let addresses = page.ways.iter().flat_map(|way| &way.addresses);
    let reaches = addresses.filter_map(|it| it.reach);
    Some(match reaches.max()? {
        Reach::Public => w::CALLERS_PUBLIC,
        Reach::Private => w::CALLERS_PRIVATE,
        Reach::Cluster => w::CALLERS_CLUSTER,
    })
}
