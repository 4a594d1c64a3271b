using System.Net.ServerSentEvents;

namespace Stoa.Tests.Assistants.Live;

public sealed class LiveTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Clients_hear_of_a_title_once_in_its_room_and_catch_up_on_what_they_missed()
    {
        await using var site = await AssistantsSite.StartAsync();
        var ada = await site.UserAsync("Ada");
        var execution = await site.ExecutionAsync(ada, ["Hello"]);
        var other = await site.ExecutionAsync(ada, ["Hello"]);
        var bob = await site.UserAsync("Bob");
        var bobs = await site.ExecutionAsync(bob, ["Hello"]);
        await using var everywhere = await ListenAsync(site, ada, "");
        await using var inRoom = await ListenAsync(site, ada, $"?session_id={other.Session}");
        Assert.Equal("listening", (await NextAsync(everywhere)).EventType);
        Assert.Equal("listening", (await NextAsync(inRoom)).EventType);

        await NameAsync(site, bobs, "Of Bob");
        await NameAsync(site, execution, "One");
        await NameAsync(site, other, "Two");
        var first = await NextAsync(everywhere);
        var second = await NextAsync(everywhere);
        await using var again = await ListenAsync(site, ada, "", first.EventId);
        Assert.Equal(first.EventId, (await NextAsync(again)).EventId);

        Assert.Equal(("user_task_execution_title", $$"""{"title":"One","session_id":"{{execution.Session}}"}"""),
            (first.EventType, first.Data.Replace(" ", "", StringComparison.Ordinal)));
        Assert.Contains("\"Two\"", second.Data, StringComparison.Ordinal);
        Assert.Equal(second.Data, (await NextAsync(inRoom)).Data);
        Assert.Equal((second.EventId, second.Data), await SeenAsync(again));
        Assert.Equal("404 Session not found", await site.StatusAsync(ada.Token, HttpMethod.Get, $"/events?session_id={bobs.Session}"));
        Assert.Equal("403 Invalid token.", await site.StatusAsync("nobody", HttpMethod.Get, "/events"));
    }

    private static async Task<(string?, string)> SeenAsync(Listening listening)
    {
        var item = await NextAsync(listening);
        return (item.EventId, item.Data);
    }

    private static async Task NameAsync(AssistantsSite site, Done execution, string title) => await site.OkAsync(
        AssistantsSite.Background, HttpMethod.Post, "/user_task_execution_summary",
        new() { ["user_task_execution_pk"] = execution.Execution, ["title"] = title, ["summary"] = "s" });

    private static async Task<Listening> ListenAsync(AssistantsSite site, Assisted user, string query, string? last = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/assistants/events{query}");
        request.Headers.TryAddWithoutValidation("Authorization", user.Token);
        if (last is not null)
        {
            request.Headers.Add("Last-Event-ID", last);
        }
        var answer = await site.Host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        return new(answer, SseParser.Create(await answer.Content.ReadAsStreamAsync(Ct)).EnumerateAsync(Ct).GetAsyncEnumerator(Ct));
    }

    private static async Task<SseItem<string>> NextAsync(Listening listening)
    {
        do
        {
            Assert.True(await listening.Events.MoveNextAsync(), "The stream has ended");
        }
        while (listening.Events.Current.EventType == "heartbeat");
        return listening.Events.Current;
    }

    private sealed record Listening(HttpResponseMessage Answer, IAsyncEnumerator<SseItem<string>> Events) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Answer.Dispose();
            try
            {
                await Events.DisposeAsync();
            }
            catch (Exception ended) when (ended is IOException or ObjectDisposedException or OperationCanceledException)
            {
                // The answer is gone before its reader.
            }
        }
    }
}
