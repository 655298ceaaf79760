-- Records of a project (0: of none) of UTC days before `day` may have been deleted. Their sums in the rollup stay, and are
-- all that is known of these days.
create table sealed (
    project integer primary key,
    day     integer not null
) strict;
