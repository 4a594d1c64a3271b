using Stoa.Tests.Support;
using static System.Net.Http.HttpMethod;

namespace Stoa.Tests.Assistants.Work;

public sealed class HomeChatTests
{
    [Fact]
    public async Task On_his_Sunday_evening_a_users_chat_of_the_week_is_prepared_once()
    {
        // 21:30 in London, 22:30 in Paris, both winter; 22:30 by an offset too.
        await using var thinking = await ThinkingSite.StartAsync("2026-11-22T21:30:00Z");
        var site = thinking.Site;
        var paris = await site.UserAsync("Paris", zone: "Europe/Paris");
        var london = await site.UserAsync("London", zone: "Europe/London");
        var offset = await site.UserAsync("Offset", offset: -60);
        var nowhere = await site.UserAsync("Nowhere");
        for (var i = 0; i < 3; i++)
        {
            thinking.Provider.Enqueue(ScriptedAnswer.Text("<message>A new week begins</message>"));
        }

        var prepared = await site.OkAsync(AssistantsSite.Scheduler, Post, "/home_chat");
        var again = await site.OkAsync(AssistantsSite.Scheduler, Put, "/home_chat", new() { ["n_users"] = 1, ["offset"] = 1 });
        await site.Host.RunJobsAsync();

        string[] due = [paris.Id, offset.Id];
        Assert.Equal(due.Order(StringComparer.Ordinal), prepared["user_ids"]!.AsArray().Select(id => (string?)id));
        Assert.Equal(due.Order(StringComparer.Ordinal).Skip(1), again["user_ids"]!.AsArray().Select(id => (string?)id));
        Assert.Equal(
            "2026-11-23 2026-11-23", await site.ValueAsync<string>("select string_agg(week::text, ' ') from assistants.home_chats"));
        var session = (await site.OkAsync(paris.Token, Get, "/session"))["sessions"]![0]!;
        var said = (await site.OkAsync(paris.Token, Get, $"/message?session_id={session["session_id"]}"))["messages"]!.AsArray();
        Assert.Equal("A new week begins", (string?)Assert.Single(said)!["message"]!["text"]);

        // The host's own schedule comes an hour late: London's chat is made too, nobody else's again.
        thinking.Clock.Set(ThinkingSite.At("2026-11-22T23:10:00Z"));
        await site.RunScheduleAsync("assistants.prepare_home_chats");
        Assert.Equal("2026-11-23 2026-11-23 2026-11-23",
            await site.ValueAsync<string>("select string_agg(week::text, ' ') from assistants.home_chats"));
        Assert.Equal(1L, await site.ValueAsync<long>("select count(*) from assistants.home_chats where user_id = $1", london.Id));

        Assert.Equal("{}", (await site.OkAsync(nowhere.Token, Post, "/home_chat")).ToJsonString());
        Assert.Equal(
            "2026-11-16", await site.ValueAsync<string>("select week::text from assistants.home_chats where user_id = $1", nowhere.Id));
        Assert.Equal("400 Missing field 'n_users'", await site.StatusAsync(AssistantsSite.Scheduler, Put, "/home_chat"));
    }
}
