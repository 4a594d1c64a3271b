using System.Text.Json.Nodes;
using Stoa.Tests.Learning.Tutor;
using Stoa.Tests.Support;

namespace Stoa.Tests.Learning;

/// <summary>What somebody may have who has done nothing but sign in.</summary>
public sealed class SchoolLimitsTests
{
    private const string Model = "gpt-4.1";

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task Nobody_makes_more_schools_than_one_person_may()
    {
        await using var site = await LearningSite.StartAsync(("Learning:Schools:MaxPerPerson", "3"));
        var (one, other) = (await site.SignInAsync("one@limits.org"), await site.SignInAsync("other@limits.org"));
        await site.SqlAsync($"""
            insert into platform.memberships (organization_id, person_id, role, created_at)
            select '00000000-0000-7000-8000-000000000001', person_id, 'owner', now() from learning.users where id = {other.Id}
            """);

        var made = await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(number => site.StatusesAsync(one, HttpMethod.Post, "/organizations/", New(one, number))));
        var ofOperator = await Task.WhenAll(Enumerable.Range(10, 5)
            .Select(number => site.StatusesAsync(other, HttpMethod.Post, "/organizations/", New(other, number))));

        Assert.Equal(3, made.Count(answer => answer == "200 "));
        Assert.Equal(5, made.Count(answer => answer == "403 You own 3 organizations already, which is as many as one person may"));
        Assert.All(ofOperator, answer => Assert.Equal("200 ", answer));
        Assert.Equal(3L, await site.ValueAsync<long>($"select count(*) from learning.user_organizations where user_id = {one.Id}"));
    }

    [Fact]
    public async Task A_school_spends_its_months_budget_of_the_installations_keys_and_then_its_own_keys_money()
    {
        await using var site = await TutorSite.StartAsync(
            "poor", ("Learning:Schools:MonthlyBudget", "0.01"),
            ("Learning:Models:Text", $"openai/{Model}"), ("Learning:Models:Reasoning", $"openai/{Model}"));
        var (school, wire) = (site.School, site.Site);
        var path = $"/organizations/{school.Org}/budget";
        var file = await site.UploadAsync(school.Owner, "application/pdf", "%PDF-1.4"u8.ToArray());
        var generation =
            new JsonObject { ["course_description"] = "x", ["intended_audience"] = "y", ["reference_material_s3_key"] = $"{file}.pdf" };
        // Ten thousand tokens of an answer are eight cents.
        site.Provider.EnqueueFor(Model, TutorSite.Objective(isCorrect: true).WithUsage(new(10, 10_000)));
        var before = await wire.GetAsync(school.Owner, path);

        Assert.Equal(200, (await site.AskAsync(school.Learner, site.Question(school.Learner, "x"))).Status);
        var refused = await UntilAsync(site, school.Learner, answer => answer.Status != 200);
        var after = await SettledAsync(site, path);

        Assert.Equal((0.01, 0), ((double)before["amount"]!, (double)before["spent"]!));
        Assert.True((double)after["spent"]! >= 0.08, after.ToJsonString());
        Assert.Equal(
            (429, "The school's budget for this month is used up"), (refused.Status, (string?)JsonNode.Parse(refused.Text)!["detail"]));
        Assert.Equal("429 The school's budget for this month is used up", await wire.StatusesAsync(
            school.Owner, HttpMethod.Post, $"/ai/generate/course/{school.Course}/structure", generation));
        Assert.Equal("403 Forbidden", await wire.StatusesAsync(school.Mentor, HttpMethod.Get, path));
        Assert.Equal(
            "403 Forbidden", await wire.StatusesAsync(school.Owner, HttpMethod.Put, path, new JsonObject { ["monthly_budget"] = 1_000 }));

        var other = await School.OpenAsync(wire, "rich");
        var question = site.Question(other.Learner, "x", other.Questions[0]);
        question["task_id"] = other.Quiz;
        site.Provider.EnqueueFor(Model, [.. Enumerable.Repeat(TutorSite.Objective(isCorrect: true), 9)]);
        Assert.Equal(200, (await site.AskAsync(other.Learner, question)).Status);

        await wire.PutAsync(
            school.Owner, $"/organizations/{school.Org}/provider_keys/openai", new JsonObject { ["key"] = site.Provider.Key });
        await UntilAsync(site, school.Learner, answer => answer.Status == 200);
        Assert.Equal((double)after["spent"]!, (double)(await SettledAsync(site, path))["spent"]!);
    }

    [Fact]
    public async Task Who_runs_the_installation_says_what_a_school_may_spend()
    {
        await using var site = await LearningSite.StartAsync(("Learning:Schools:MonthlyBudget", "5"));
        var owner = await site.SignInAsync("owner@budget.org");
        var runs = await site.SignInAsync("runs@budget.org");
        await site.SqlAsync($"""
            insert into platform.memberships (organization_id, person_id, role, created_at)
            select '00000000-0000-7000-8000-000000000001', person_id, 'admin', now() from learning.users where id = {runs.Id}
            """);
        var org = await site.MakeAsync(owner, "/organizations/", New(owner, 1));
        var path = $"/organizations/{org}/budget";

        List<string> told = [$"{(await site.GetAsync(owner, path))["amount"]}"];
        foreach (var amount in (JsonNode?[])[JsonValue.Create(100), JsonValue.Create(0), null])
        {
            await site.PutAsync(runs, path, new JsonObject { ["monthly_budget"] = amount });
            var (status, budget) = await site.SendAsync(owner, HttpMethod.Get, path);
            told.Add(status == 200 ? $"{budget!["amount"]}" : $"{status}");
        }

        Assert.Equal(["5.0000000000", "100.0000000000", "404", "5.0000000000"], told);
        Assert.StartsWith("422 ", await site.StatusesAsync(runs, HttpMethod.Put, path, new JsonObject { ["monthly_budget"] = -1 }),
            StringComparison.Ordinal);
        Assert.StartsWith("422 ", await site.StatusesAsync(runs, HttpMethod.Put, path, new JsonObject { ["monthly_budget"] = "much" }),
            StringComparison.Ordinal);
    }

    private static JsonObject New(Learner owner, int number) =>
        new() { ["name"] = $"School {number}", ["slug"] = $"school-{number}", ["user_id"] = owner.Id };

    /// <summary>The budget when all that the provider has answered is counted.</summary>
    private static async Task<JsonNode> SettledAsync(TutorSite site, string path)
    {
        await Patience.UntilAsync(async () =>
            await site.Site.ValueAsync<long>(
                "select count(*) from gateway.usage where status = 200") >= site.Provider.RequestsFor(Model).Count);
        return await site.Site.GetAsync(site.School.Owner, path);
    }

    /// <summary>What a call has cost is counted a moment after it, and hosts hear of a new key within a second.</summary>
    private static async Task<Answered> UntilAsync(TutorSite site, Learner learner, Func<Answered, bool> holds)
    {
        while (true)
        {
            site.Provider.EnqueueFor(Model, TutorSite.Objective(isCorrect: true));
            if (await site.AskAsync(learner, site.Question(learner, "again")) is var answer && holds(answer))
            {
                return answer;
            }
            await Task.Delay(Moment, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
