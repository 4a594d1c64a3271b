using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Tests.Platform.Egress;

namespace Stoa.Tests.Feedback.Reports;

public sealed class ReportTests
{
    [Fact]
    public async Task A_report_is_told_to_the_channel()
    {
        var told = new ConcurrentQueue<(string Path, string Key, JsonNode Body)>();
        await using var discord = await LoopbackSite.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            told.Enqueue(
                ($"{context.Request.Path}", $"{context.Request.Headers.Authorization}", JsonNode.Parse(await reader.ReadToEndAsync())!));
            await context.Response.WriteAsync("{}");
        });
        await using var site = await (await ReadingSite.StartAsync(new()
        {
            ["Feedback:Reports:DiscordApiKey"] = "bot-key", ["Feedback:Reports:DiscordChannelId"] = "17",
            ["Feedback:Reports:DiscordUrl"] = discord.Url.AbsoluteUri, ["Feedback:Reports:WebUrl"] = "https://web.example",
        })).WithUsersAsync();
        var message = await site.SayAsync(ReadingSite.Alice, new string('x', 600));

        var (status, _) = await site.SendAsync("POST", "/text_labels/", new
        {
            type = "text_labels", user = new { id = "bob", display_name = "Bob", auth_method = "local" },
            text = "it is rude", labels = Array.Empty<int>(),
            message_id = message, is_report = true,
        });
        await site.Host.RunJobsAsync();

        Assert.Equal(204, status);
        var (path, key, body) = Assert.Single(told);
        Assert.Equal(("/channels/17/messages", "Bot bot-key", $"New report: https://web.example/admin/messages/{message}"),
            (path, key, (string?)body["content"]));
        Assert.Equal((500, 0x3498DB), (((string)body["embeds"]![0]!["description"]!).Length, (int)body["embeds"]![0]!["color"]!));
        Assert.Equal(("it is rude", $"{ReadingSite.Bob}"),
            ((string?)body["embeds"]![1]!["description"], (string?)body["embeds"]![1]!["author"]!["name"]));
        Assert.Empty(body["allowed_mentions"]!["parse"]!.AsArray());
    }
}
