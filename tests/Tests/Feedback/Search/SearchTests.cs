using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Feedback.Search;
using Stoa.Feedback.Statistics;
using Stoa.Platform.Jobs;

namespace Stoa.Tests.Feedback.Search;

/// <summary>Words, near duplicates, and what the schedules do for both and for streaks.</summary>
public sealed class SearchTests(SharedReading shared) : IClassFixture<SharedReading>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_came_in_without_its_words_is_found_once_it_is_indexed()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        var message = await site.SayAsync(ReadingSite.Alice, "Ships are waiting in the harbour");
        await site.SayAsync(ReadingSite.Alice, "Ein Schiff wartet", more: "lang = 'de'");
        const string search = "/messages/cursor?lang=en&search_query=harbours%20%26%20waits";
        var before = await site.GetAsync(search);

        await RunAsync(site, new IndexMessages());

        Assert.Empty(before["items"]!.AsArray());
        Assert.Equal(message, (Guid)Assert.Single((await site.GetAsync(search))["items"]!.AsArray())!["id"]!);
        Assert.Single((await site.GetAsync("/messages/cursor?lang=de&search_query=Schiffe"))["items"]!.AsArray());
        Assert.Equal(0, await site.AskAsync<long>("select count(*) from feedback.message where search_vector is null"));
    }

    [Fact]
    public async Task Texts_that_say_nearly_the_same_are_found_by_their_vectors()
    {
        await using var site = await (await ReadingSite.StartAsync(new() { ["Feedback:HuggingFace:EmbeddingModel"] = "emb" }))
            .WithUsersAsync();
        var asked = await site.SayAsync(ReadingSite.Alice, "asked");
        var copy = await site.SayAsync(ReadingSite.Bob, "copy");
        var near = await site.SayAsync(ReadingSite.Bob, "near");
        var far = await site.SayAsync(ReadingSite.Bob, "far");
        var deleted = await site.SayAsync(ReadingSite.Bob, "deleted", more: "deleted = true");
        var foreign = await site.SayAsync(ReadingSite.Bob, "foreign", more: "lang = 'de'");
        foreach (var (id, vector) in ((Guid, string)[])[
            (asked, "{1,0,0}"), (copy, "{2,0,0}"), (near, "{1,1,0}"), (far, "{0,1,0}"), (deleted, "{1,0,0}"), (foreign, "{1,0,0}")])
        {
            await site.RunAsync(
                $"insert into feedback.message_embedding (message_id, model, embedding) values ('{id}', 'emb', '{vector}')");
        }

        var found = await SimilarAsync(site, $"{asked}/similar");
        var nearer = await SimilarAsync(site, $"{asked}/similar?from=0.9");

        Assert.Equal([(copy, 1.0), (near, 0.7071)], found);
        Assert.Equal([(copy, 1.0)], nearer);
        Assert.Empty(await SimilarAsync(site, $"{await site.SayAsync(ReadingSite.Bob, "without")}/similar"));
    }

    [Fact]
    public async Task A_streak_ends_after_a_day_and_a_half_without_a_contribution()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        await site.RunAsync($"""
            update feedback.user set streak_days = 5, streak_last_day_date = now() - interval '5 days',
              last_activity_date = at, last_active_day = (at at time zone 'UTC')::date
            from (select id, now() - case id when '{ReadingSite.Alice}' then interval '35 hours' else interval '37 hours' end as at
              from feedback.user) as last
            where last.id = "user".id
            """);

        await RunAsync(site, new ResetStreaks());

        Assert.Equal("alice 5 true, bob 0 false", await site.AskAsync<string>("""
            select string_agg(username || ' ' || streak_days || ' ' || (streak_last_day_date is not null), ', ' order by username)
              from feedback.user
            """));
    }

    private static async Task<List<(Guid Id, double Similarity)>> SimilarAsync(ReadingSite site, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/stoa/feedback/messages/{path}");
        request.Headers.Authorization = new("Bearer", "stoa-dev");
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!;
        return [.. body["items"]!.AsArray().Select(item => ((Guid)item!["message_id"]!, Math.Round((double)item["similarity"]!, 4)))];
    }

    private static async Task RunAsync<T>(ReadingSite site, T job)
        where T : class
    {
        await site.Host.Services.GetRequiredService<JobQueue>().EnqueueAsync(job, options: null, Ct);
        await site.Host.RunJobsAsync();
    }
}
