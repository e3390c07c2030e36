//! Trade, prizes, wagers and party politics, and what a school writes of cakes, races and elections.

use super::{judge, plain};

#[test]
fn the_senders_own_trade_and_what_has_no_place_in_a_schools_mail() {
    let rows: &[(&str, &[&str])] = &[
        (
            "trade",
            &[
                "I make celebration cakes to order, from £25. Do pass it on.",
                "I bake cupcakes at home and take orders for birthdays.",
                "My tutoring rates are £30 an hour.",
                "I also offer private tuition at weekends, £35 per hour.",
                "Have a look at my Etsy shop: https://etsy.example/shop/x",
                "The new Avon brochure is out, and my Avon page has 20% off if you order by Friday.",
                "My Vinted page has lots of baby clothes, take a look!",
                "I am selling my car, a 2014 Fiesta, £2,500.",
                "My old caravan is for sale, £4,000 or nearest offer.",
                "My little business is growing: 10% off if you order from me this week.",
            ],
        ),
        (
            "prize",
            &[
                "Congratulations! You have won £5,000 in our lottery.",
                "Claim your reward today.",
                "Earn £500 a week from home, message me for the link.",
                "Be your own boss: join my team today.",
            ],
        ),
        (
            "gambling",
            &[
                "Sweepstake for the World Cup: £2 a team, winner takes all.",
                "Want a bet on the Grand National? £5 each.",
                "The lottery syndicate has two places.",
                "Free bets at https://www.bet365.com/offer",
                "I've put a tenner on Red Rum.",
            ],
        ),
        (
            "politics",
            &[
                "Please vote Labour on Thursday.",
                "Vote for your local Liberal Democrats!",
                "We are canvassing this weekend for the Conservatives, do come.",
                "Join Reform UK.",
                "Please sign this petition against the Government: https://petition.example",
                "I'm standing for the county council, please share.",
            ],
        ),
    ];
    for (kind, bodies) in rows {
        judge(kind, true, bodies.iter().map(|body| plain("Hello", body)));
    }
}

#[test]
fn a_schools_own_business_is_none() {
    let bodies = [
        "The PTA cake sale is on Friday: cakes £1, and my cakes will be there.",
        "Children in Need: I am selling cakes at break, £1 each, in aid of charity.",
        "Raffle tickets are £1 a strip; first prize is a hamper, proceeds to the PTA.",
        "Enterprise week: Year 5 make candles to order at £2.",
        "Please send a quotation for 30 chairs, our budget is £900.",
        "Thank you for the quote of £25 an hour for cleaning.",
        "Book bags are £5 from the office.",
        "The trip costs £12.50, please pay by Friday.",
        "I teach piano lessons in Year 4 on Tuesdays.",
        "My car broke down, so I will be late.",
        "I have a house full of visitors.",
        "He said his mum is selling the house and they move in June.",
        "You have won the spelling competition, well done!",
        "You've won a place in the final on Saturday.",
        "Maths: a horse runs at odds of 5/1. You place a bet of £2. Work out the winnings.",
        "Assembly on gambling harm: what is a sweepstake? Somebody pays £2.",
        "School council election: vote for me in Year 6!",
        "Year 6 will vote for Green house or Red house.",
        "Please vote for the name of the new minibus.",
        "History: why did people vote Labour in 1945? Essay due Monday.",
        "The labour costs are £300, as agreed.",
        "Mock election: pupils campaigning for Labour and the Conservatives.",
        "The school is a polling station on Thursday.",
        "Amy likes to earn £5 a week for washing up.",
        "There is a conservative estimate of £4,000 for the roof.",
        "I am standing for the photograph at the back.",
        "I sell myself short, my line manager says.",
    ];
    for kind in ["trade", "prize", "gambling", "politics"] {
        judge(kind, false, bodies.map(|body| plain("Hello", body)));
    }
    let quoted =
        "No thank you.\n\nOn Mon, 2 Nov 2026, Sue <s@firm.example> wrote:\n> My tutoring rates are £30 an hour.";
    judge("trade", false, [plain("Hello", quoted)]);
}
