using Microsoft.Extensions.DependencyInjection;
using Stoa.Feedback.Tasks;
using Stoa.Platform.Jobs;

namespace Stoa.Tests.Feedback.Tasks;

/// <summary>Tasks that nobody answered in time.</summary>
public sealed class TidyTasksTests(SharedFeedback shared) : IClassFixture<SharedFeedback>
{
    [Fact]
    public async Task What_expired_goes_with_the_name_that_its_client_gave_it_and_what_was_answered_stays()
    {
        var site = await shared.FreshAsync();
        await site.WriteAsync("author", "initial_prompt");
        var (task, shown) = await site.TakeAsync("idle", "initial_prompt");
        var (later, _) = await site.TakeAsync("late", "initial_prompt");
        await site.ScalarAsync<long>(
            $"with aged as (update feedback.task set expiry_date = now() - interval '1 day' where id <> '{later["id"]}' returning 1) select count(*) from aged");

        await TidyAsync(site);
        Assert.Equal(["late", "author"], await LeftAsync(site));
        Assert.Equal(0, await site.ScalarAsync<long>($"select count(*) from feedback.task_shown where frontend_message_id = '{shown}'"));
        Assert.Equal((404, 2100), await AcknowledgeAsync(site, (string)task["id"]!, shown));

        // A second time it looks only at what expired since.
        await site.ScalarAsync<long>(
            $"with aged as (update feedback.task set expiry_date = now() - interval '1 minute' where id = '{later["id"]}' returning 1) select count(*) from aged");
        await TidyAsync(site);
        Assert.Equal(["author"], await LeftAsync(site));
    }

    [Fact]
    public async Task A_task_that_is_shown_and_answered_leaves_its_place_in_no_index()
    {
        var site = await shared.FreshAsync();

        var written = await site.ScalarAsync<string>(
            """
            select coalesce(string_agg(pg_get_indexdef(indexrelid), '; '), '') from pg_index where indrelid = 'feedback.task'::regclass
              and pg_get_indexdef(indexrelid) ~ '\m(ack|done|skipped|frontend_message_id)\M'
            """);

        Assert.Equal("", written);
    }

    private static async Task TidyAsync(FeedbackSite site)
    {
        var queue = site.Host.Services.GetRequiredService<JobQueue>();
        await queue.EnqueueAsync([queue.Make(new TidyTasks())], TestContext.Current.CancellationToken);
        await site.Host.RunJobsAsync();
    }

    private static async Task<string[]> LeftAsync(FeedbackSite site) => (await site.ScalarAsync<string>(
        "select string_agg(u.username, ',' order by t.created_date desc) from feedback.task t join feedback.user u on u.id = t.user_id"))
        .Split(',');

    private static async Task<(int Status, int Code)> AcknowledgeAsync(FeedbackSite site, string task, string id)
    {
        var (status, body) = await site.PostAsync($"/tasks/{task}/ack", new { message_id = id });
        return (status, (int)body!["error_code"]!);
    }
}
