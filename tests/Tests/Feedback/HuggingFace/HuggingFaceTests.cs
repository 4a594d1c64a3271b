using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Feedback.HuggingFace;
using Stoa.Platform.Jobs;
using Stoa.Tests.Platform.Egress;

namespace Stoa.Tests.Feedback.HuggingFace;

public sealed class HuggingFaceTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_gets_its_toxicity_and_its_vector_also_when_the_model_loads_first()
    {
        var asked = new ConcurrentQueue<(string Path, string Key, string Body)>();
        await using var model = await LoopbackSite.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            asked.Enqueue(($"{context.Request.Path}", $"{context.Request.Headers.Authorization}", await reader.ReadToEndAsync(Ct)));
            if (asked.Count == 1)
            {
                context.Response.StatusCode = 503;
                await context.Response.WriteAsync("""{"error":"Model is currently loading","estimated_time":0.01}""", Ct);
            }
            else if (asked.Count == 2)
            {
                context.Response.StatusCode = 429;
                context.Response.Headers.RetryAfter = "0";
            }
            else
            {
                await context.Response.WriteAsync(context.Request.Path.StartsWithSegments("/pipe", StringComparison.Ordinal)
                    ? "[0.5,-0.25]" : """[[{"label":"toxic","score":0.75},{"label":"neutral","score":0.25}]]""", Ct);
            }
        });
        await using var site = await (await ReadingSite.StartAsync(Settings(model))).WithUsersAsync();
        var message = await site.SayAsync(ReadingSite.Alice, "some text");

        await site.Host.Services.GetRequiredService<JobQueue>().EnqueueAsync(new FindUnanalyzed(), options: null, Ct);
        await UntilAsync(async () => await site.AskAsync<long>("select count(*) from feedback.message_embedding") == 1);

        Assert.Equal($"{message} toxic 0.75",
            await site.AskAsync<string>("select message_id || ' ' || label || ' ' || score from feedback.message_toxicity"));
        Assert.Equal("{0.5,-0.25}", await site.AskAsync<string>("select embedding::text from feedback.message_embedding"));
        Assert.Equal(["/m/tox", "/m/tox", "/m/tox", "/pipe/emb"], asked.Select(one => one.Path));
        Assert.All(asked, one => Assert.Equal("Bearer hf", one.Key));
        var body = JsonNode.Parse(asked.First().Body)!;
        Assert.Equal(("some text", true), ((string?)body["inputs"], (bool)body["wait_for_model"]!));
    }

    [Fact]
    public async Task The_route_passes_the_answer_on_and_says_3001_for_a_refusal()
    {
        await using var model = await LoopbackSite.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var text = await reader.ReadToEndAsync(Ct);
            context.Response.StatusCode = text.Contains("fine", StringComparison.Ordinal) ? 200 : 401;
            await context.Response.WriteAsync("""[[{"label":"x","score":1,"more":[]}]]""", Ct);
        });
        await using var site = await ReadingSite.StartAsync(Settings(model));

        Assert.Equal("""[[{"label":"x","score":1,"more":[]}]]""", (await site.GetAsync("/hf/text_toxicity?msg=fine")).ToJsonString());
        var (status, body) = await site.SendAsync("GET", "/hf/text_toxicity?msg=bad");
        Assert.Equal((400, 3001), (status, (int)body!["error_code"]!));
        Assert.Equal(422, (await site.SendAsync("GET", "/hf/text_toxicity")).Status);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("""{"error":"odd"}""")]
    [InlineData("[]")]
    public async Task An_answer_that_cannot_be_read_is_an_error_of_its_own(string answer)
    {
        await using var model = await LoopbackSite.StartAsync(context => context.Response.WriteAsync(answer, Ct));
        await using var site = await ReadingSite.StartAsync(Settings(model));
        var client = site.Host.Services.GetRequiredService<HuggingFaceClient>();

        await Assert.ThrowsAsync<HuggingFaceException>(() => client.FirstToxicityAsync("x", Ct));
        await Assert.ThrowsAsync<HuggingFaceException>(() => client.EmbeddingAsync("x", Ct));
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        while (!await isSo())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }
    }

    private static Dictionary<string, string?> Settings(LoopbackSite model) => new()
    {
        ["Feedback:HuggingFace:ApiKey"] = "hf",
        ["Feedback:HuggingFace:ToxicityUrl"] = new Uri(model.Url, "/m").AbsoluteUri,
        ["Feedback:HuggingFace:ToxicityModel"] = "tox",
        ["Feedback:HuggingFace:EmbeddingUrl"] = new Uri(model.Url, "/pipe").AbsoluteUri,
        ["Feedback:HuggingFace:EmbeddingModel"] = "emb",
    };
}
