using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Stoa.Tests.Platform.Egress;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Completions;

/// <summary>A call takes a place among those of its organization that are under way, and gives it back however it ends.</summary>
public sealed class InFlightTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_place_of_a_call_is_given_back_on_every_surface_whether_it_is_answered_or_fails()
    {
        var (arrived, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var upstream = await LoopbackSite.StartAsync(async context =>
        {
            arrived.TrySetResult();
            await release.Task;
            context.Response.StatusCode = 400;
        });
        await using var host = await HostUnderTest.StartAsync(new()
        {
            ["Gateway:MaxInFlightPerOrganization"] = "1",
            ["Gateway:Providers:openai:Kind"] = "openai",
            ["Gateway:Providers:openai:BaseUrl"] = new Uri(upstream.Url, "/v1").ToString(),
            ["Gateway:Providers:openai:ApiKey"] = "secret",
        });
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", "stoa-dev");

        var first = AskAsync("/v1/chat/completions", "openai/m");
        await arrived.Task.WaitAsync(Ct);
        Assert.Equal(HttpStatusCode.TooManyRequests, await AskAsync("/v1/chat/completions", "demo/demo"));
        release.SetResult();
        Assert.Equal(HttpStatusCode.BadRequest, await first);

        foreach (var path in (string[])["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/embeddings"])
        {
            Assert.Equal((path, HttpStatusCode.OK), (path, await AskAsync(path, "demo/demo")));
            Assert.Equal((path, HttpStatusCode.OK), (path, await AskAsync(path, "demo/demo", isCached: true)));
        }
        foreach (var path in (string[])["/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/moderations"])
        {
            Assert.Equal((path, HttpStatusCode.BadRequest), (path, await AskAsync(path, "openai/m")));
        }
        Assert.Equal(HttpStatusCode.OK, await AskAsync("/v1/chat/completions", "demo/demo"));

        async Task<HttpStatusCode> AskAsync(string path, string model, bool isCached = false)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = JsonContent.Create(new JsonObject
                {
                    ["model"] = model, ["max_tokens"] = 20, ["input"] = "Hello",
                    ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello" }),
                }),
            };
            request.Headers.Add("x-gtwy-cache", isCached ? "on" : "off");
            using var answer = await host.Client.SendAsync(request, Ct);
            await answer.Content.ReadAsStringAsync(Ct);
            return answer.StatusCode;
        }
    }
}
