using System.Text.Json;
using Stoa.Feedback.Rankings;
using Stoa.Tests.Support;

namespace Stoa.Tests.Feedback.Rankings;

public sealed class RankedPairsTests
{
    [Theory]
    [InlineData("abc bca cab", "abc")]
    [InlineData("ab ba", "ab")]
    [InlineData("wxzy wxzy wxzy wyxz wyxz xyzw xyzw xyzw xyzw xzwy xzwy xzwy xzwy xzwy ywxz", "xzwy")]
    [InlineData("acx bac cab", "ac")]
    public void The_consensus_of_votes_is(string votes, string consensus) =>
        Assert.Equal(consensus, string.Concat(RankedPairs.Consensus(Votes(votes))!));

    [Theory]
    [InlineData("a a")]
    [InlineData("ab cd")]
    [InlineData("ab ac")]
    public void Fewer_than_two_common_candidates_have_no_consensus(string votes) => Assert.Null(RankedPairs.Consensus(Votes(votes)));

    [Fact]
    public void No_votes_have_no_consensus() => Assert.Null(RankedPairs.Consensus(new List<char[]>()));

    [Fact]
    public void The_recorded_cases_come_out_the_same()
    {
        var file = Repository.Shared("contracts/feedback.ranked-pairs.jsonl");
        Assert.SkipUnless(file is not null, "The recorded cases are not here.");
        var lines = File.ReadAllLines(file);
        Assert.Equal(40, lines.Length);
        Assert.All(lines, line =>
        {
            var recorded = JsonElement.Parse(line);
            var votes = recorded.GetProperty("votes").EnumerateArray().Select(Names).ToList();
            Assert.Equal(Names(recorded.GetProperty("consensus")), RankedPairs.Consensus(votes)?.ToArray() ?? []);
        });
    }

    private static char[] Names(JsonElement vote) => [.. vote.EnumerateArray().Select(name => name.GetString()![0])];

    private static List<char[]> Votes(string votes) => [.. votes.Split(' ').Select(vote => vote.ToCharArray())];
}
