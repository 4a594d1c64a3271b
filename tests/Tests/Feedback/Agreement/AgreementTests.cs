using Stoa.Feedback.Agreement;

namespace Stoa.Tests.Feedback.Agreement;

public sealed class AgreementTests
{
    // The worked example of Krippendorff 2011, part C: four observers, twelve units, some values missing.
    private static readonly int?[][] Observers =
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, null, null, null],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, null, 3],
        [null, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, null],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, null],
    ];

    [Theory]
    [InlineData("Nominal", 0.743)]
    [InlineData("Interval", 0.849)]
    public void Alpha_of_the_worked_example_is(string measurement, double alpha)
    {
        var units = Enumerable.Range(0, 12).Select(unit =>
            (IReadOnlyList<double>)[.. Observers.Select(observer => observer[unit]).OfType<int>().Select(value => (double)value)]);

        Assert.Equal(alpha, KrippendorffAlpha.Of(units, Enum.Parse<Measurement>(measurement))!.Value, 3);
    }

    [Fact]
    public void Alpha_of_full_agreement_is_one() => Assert.Equal(1, KrippendorffAlpha.Of([[0, 0], [1, 1, 1]], Measurement.Nominal));

    [Fact]
    public void Where_nothing_can_be_compared_there_is_no_alpha()
    {
        Assert.Null(KrippendorffAlpha.Of([[1], [2]], Measurement.Nominal));
        Assert.Null(KrippendorffAlpha.Of([[1, 1], [1, 1]], Measurement.Interval));
    }

    // Each of a hundred thousand values once: pair by pair these would be ten thousand million.
    [Fact]
    public void Alpha_takes_scales_of_any_number_of_values()
    {
        var units = Enumerable.Range(0, 50_000).Select(unit => (IReadOnlyList<double>)[unit / 50_000.0, (unit / 50_000.0) + 1e-6]);

        Assert.Equal(1, KrippendorffAlpha.Of(units, Measurement.Interval)!.Value, 6);
        Assert.Equal(0, KrippendorffAlpha.Of(units, Measurement.Nominal)!.Value, 4);
    }

    // Siegel 1956, table 9.8: six applicants, three interviewers.
    [Fact]
    public void W_of_the_worked_example_is_0_16()
    {
        string[] rankings = ["adcfeb", "aefdbc", "fcbeda"];
        // Ranks by applicant: 1 6 3 2 5 4 / 1 5 6 4 2 3 / 6 3 2 5 4 1.
        Assert.Equal(0.16, KendallW.Of(rankings.Select(ranking => ranking.ToCharArray()).ToList())!.Value, 2);
    }

    [Fact]
    public void W_of_the_same_ranking_by_all_is_one() => Assert.Equal(1, KendallW.Of<char>([['b', 'a', 'c'], ['b', 'a', 'c']]));

    [Theory]
    [InlineData("abc")]
    [InlineData("abc ab")]
    [InlineData("abc abd")]
    [InlineData("abc aab")]
    public void Rankings_of_different_candidates_have_no_w(string rankings) =>
        Assert.Null(KendallW.Of(rankings.Split(' ').Select(ranking => ranking.ToCharArray()).ToList()));
}
