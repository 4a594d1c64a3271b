using System.Globalization;
using System.Text.Json.Nodes;
using Stoa.Learning.Courses;

namespace Stoa.Tests.Learning;

public sealed class DripTests(SharedLearningSite shared) : IClassFixture<SharedLearningSite>
{
    [Theory]
    [InlineData("2026-01-31T10:00:00Z", 1, "Month", 1, "2026-02-28T10:00:00Z")]
    [InlineData("2026-01-31T10:00:00Z", 1, "Month", 2, "2026-03-31T10:00:00Z")]
    [InlineData("2024-02-29T00:00:00Z", 1, "Year", 1, "2025-02-28T00:00:00Z")]
    [InlineData("2026-01-01T00:00:00Z", 2, "Week", 3, "2026-02-12T00:00:00Z")]
    [InlineData("2026-01-01T00:00:00Z", 90, "Minute", 2, "2026-01-01T03:00:00Z")]
    public void A_module_opens_its_number_of_spans_after_the_start(string start, int value, string unit, int place, string opens)
    {
        var drip = new DripConfig { IsDripEnabled = true, FrequencyValue = value,
            FrequencyUnit = Enum.Parse<DripUnit>(unit), PublishAt = Instant(start) };

        Assert.Equal(Instant(opens), drip.UnlockAt(place, joinedAt: null, Instant(start)));
        Assert.Null(drip.UnlockAt(place, joinedAt: null, Instant(opens)));
        Assert.Null(drip.UnlockAt(0, joinedAt: null, Instant("2020-01-01T00:00:00Z")));
    }

    [Fact]
    public void Without_a_date_spans_run_from_when_he_joined_and_without_that_all_is_open()
    {
        var drip = new DripConfig { IsDripEnabled = true, FrequencyValue = 1, FrequencyUnit = DripUnit.Day };
        var joined = Instant("2026-05-01T12:00:00Z");

        Assert.Equal(joined.AddDays(1), drip.UnlockAt(1, joined, joined));
        Assert.Null(drip.UnlockAt(1, joinedAt: null, joined));
        Assert.Null(DripConfig.Off.UnlockAt(5, joined, joined));
        Assert.Equal(
            DateTimeOffset.MaxValue, (drip with { FrequencyUnit = DripUnit.Year, FrequencyValue = 90_000 }).UnlockAt(1, joined, joined));
    }

    [Fact]
    public async Task A_learner_sees_when_a_module_opens_and_not_what_is_in_it_whatever_join_time_he_claims()
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        await school.LinkAsync(new JsonObject { ["is_drip_enabled"] = true, ["frequency_value"] = "1", ["frequency_unit"] = "week" });
        var path = $"/cohorts/{school.Cohort}/courses?include_tree=true&joined_at=2001-01-01T00:00:00Z";

        var tree = (await site.GetAsync(school.Learner, path))[0]!["milestones"]!.AsArray();
        Assert.Null(tree[0]!["unlock_at"]);
        Assert.EndsWith("Z", (string?)tree[1]!["unlock_at"], StringComparison.Ordinal);
        Assert.Null((await site.GetAsync(school.Owner, path))[0]!["milestones"]![1]!["unlock_at"]);
        Assert.Equal("404 Task not found", await site.StatusesAsync(school.Learner, HttpMethod.Get, $"/tasks/{school.Assignment}"));
        Assert.Equal("404 Task not found", await site.StatusesAsync(school.Learner, HttpMethod.Post, $"/tasks/{school.Assignment}/complete",
            new JsonObject { ["user_id"] = school.Learner.Id }));
        await site.SqlAsync("update learning.user_cohorts set joined_at = now() - interval '8 days'");
        Assert.Equal(school.Assignment, (int)(await site.GetAsync(school.Learner, $"/tasks/{school.Assignment}"))["id"]!);
    }

    [Theory]
    [InlineData("""{"is_drip_enabled":true}""")]
    [InlineData("""{"is_drip_enabled":true,"frequency_value":0,"frequency_unit":"day"}""")]
    [InlineData("""{"is_drip_enabled":true,"frequency_value":1,"frequency_unit":"fortnight"}""")]
    public async Task A_drip_that_says_no_span_is_not_saved(string drip)
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();

        var (status, _) = await site.SendAsync(school.Owner, HttpMethod.Post, $"/courses/{school.Course}/cohorts",
            new JsonObject { ["cohort_ids"] = new JsonArray(school.Cohort), ["drip_config"] = JsonNode.Parse(drip) });

        Assert.Equal(422, status);
        var config = (await site.GetAsync(school.Owner, $"/courses/{school.Course}/cohorts"))[0]!["drip_config"]!;
        Assert.False((bool)config["is_drip_enabled"]!);
    }

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
