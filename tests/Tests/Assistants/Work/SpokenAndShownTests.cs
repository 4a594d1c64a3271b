using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;
using static System.Net.Http.HttpMethod;

namespace Stoa.Tests.Assistants.Work;

/// <summary>Recordings instead of words, and pictures in forms.</summary>
public sealed class SpokenAndShownTests : IAsyncLifetime
{
    private static readonly byte[] Picture = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3];

    // Each test has a model of its own: one that failed is left alone for a while.
    private readonly WorkSite work = new();

    private AssistantsSite Site => work.Site;

    public ValueTask InitializeAsync() => work.InitializeAsync();

    public ValueTask DisposeAsync() => work.DisposeAsync();

    [Fact]
    public async Task What_is_said_aloud_is_written_down_once_and_answered()
    {
        var user = await work.RegisteredAsync("speaker");
        var (_, session) = await work.BeginAsync(user);
        work.Model.EnqueueFor("whisper-1", ScriptedAnswer.Text(" Write a plan. "));
        work.Model.Answering = _ => ScriptedAnswer.Text("<title>Plan</title><summary>A plan.</summary>Gladly.");

        var (status, said) = await SpeakAsync(user, session, "aloud");
        var again = await SpeakAsync(user, session, "aloud");
        await Site.Host.RunJobsAsync();

        Assert.Equal((200, "Write a plan.", true), (status, (string?)said!["text"], (bool)said["audio"]!));
        Assert.True(JsonNode.DeepEquals(said, again.Body), again.Body?.ToJsonString());
        var heard = Assert.Single(work.Model.RequestsFor("whisper-1"));
        Assert.Equal(("note.webm", "audio/webm", "RIFF"), (heard.Form!.Files[0].FileName, heard.Form.Files[0].ContentType,
            Encoding.ASCII.GetString(heard.Body.Span).Split("\r\n").First(line => line == "RIFF")));
        var messages = (await Site.OkAsync(user.Token, Get, $"/message?session_id={session}"))["messages"]!.AsArray();
        Assert.Equal(["user True", "mojo False"], messages.Select(message => $"{message!["sender"]} {(bool)message["audio"]!}"));
        Assert.Contains(
            work.Model.Requests, request => request.Json?.ToJsonString().Contains("USER: Write a plan.", StringComparison.Ordinal) == true);
        await Patience.UntilAsync(
            () => Site.ValueAsync<bool>("select exists (select from gateway.usage where surface = 'assistants.speech')"));
    }

    [Fact]
    public async Task While_a_recording_is_listened_to_the_same_one_is_told_so_and_what_cannot_be_heard_is_not_kept()
    {
        var user = await work.RegisteredAsync("stutterer");
        var (_, session) = await work.BeginAsync(user);
        var gate = new TaskCompletionSource();
        work.Model.EnqueueFor(
            "whisper-1", ScriptedAnswer.Text("Hello").Hold(0, gate.Task), ScriptedAnswer.Text("  "), ScriptedAnswer.Error(500));

        var first = SpeakAsync(user, session, "one");
        await work.Model.NextRequestForAsync("whisper-1", TestContext.Current.CancellationToken);
        Assert.Equal("""{"status":"processing"}""", (await SpeakAsync(user, session, "one")).Body!.ToJsonString());
        gate.SetResult();
        Assert.Equal("Hello", (string?)(await first).Body!["text"]);

        Assert.Equal("400 Nothing that is said can be heard in the recording", Told(await SpeakAsync(user, session, "two")));
        Assert.StartsWith("502", Told(await SpeakAsync(user, session, "three")), StringComparison.Ordinal);
        Assert.Equal("400 Missing field 'text'", Told(await SpeakAsync(user, session, "four", isSilent: true)));
        Assert.Equal("400 Invalid session_id: nowhere", Told(await SpeakAsync(user, "nowhere", "five")));
        Assert.Equal(3, work.Model.RequestsFor("whisper-1").Count);
        Assert.Equal(
            1, await Site.ValueAsync<long>("select count(*) from assistants.messages where session_id = $1 and sender = 'user'", session));
    }

    [Fact]
    public async Task A_picture_in_a_form_is_shown_to_the_model_and_goes_with_its_user()
    {
        var user = await work.RegisteredAsync("painter");
        var (id, _) = await work.BeginAsync(user);
        var input = await Site.ValueAsync<string>(
            "select json_input_values -> 0 ->> 'input_name' from assistants.task_executions where id = $1", id);
        work.Model.Answering = _ => ScriptedAnswer.Text("<title>Picture</title><summary>A picture.</summary>I see it.");

        Assert.Equal("400 The form has no input 'nothing'", Told(await RunAsync(user, id, "nothing", Picture)));
        Assert.StartsWith("415 Images are read as", Told(await RunAsync(user, id, input, "<svg/>"u8.ToArray())), StringComparison.Ordinal);
        Assert.StartsWith(
            "413 An image may have", Told(await RunAsync(user, id, input, [.. Picture, .. new byte[5 << 20]])), StringComparison.Ordinal);
        Assert.Equal("400 A form may have 5 images", Told(await RunAsync(user, id, input, Picture, times: 6)));
        Assert.Equal(
            1, await Site.ValueAsync<long>("select count(*) from assistants.task_executions where id = $1 and started_at is null", id));
        Assert.Equal("200 ", Told(await RunAsync(user, id, input, Picture)));
        await Site.Host.RunJobsAsync();

        var shown = $"data:image/png;base64,{Convert.ToBase64String(Picture)}";
        Assert.Single(work.Model.Requests, request => request.Json?.ToString().Contains(shown, StringComparison.Ordinal) == true);
        var view = await Site.OkAsync(user.Token, Get, $"/user_task_execution?user_task_execution_pk={id}");
        Assert.Equal("drawing.png", (string?)view["json_inputs_values"]![0]!["value"]);
        await Site.SqlAsync("delete from assistants.users where id = $1", user.Id);
        Assert.Equal(0, await Site.ValueAsync<long>("select count(*) from assistants.input_images"));
    }

    [Fact]
    public async Task A_json_body_is_read_by_routes_of_forms_whatever_it_is_called()
    {
        var user = await work.RegisteredAsync("curl");
        var (id, session) = await work.BeginAsync(user);
        work.Model.Answering = _ => ScriptedAnswer.Text("<title>a</title><summary>b</summary>");
        string run = $$"""{"datetime":"now","user_task_execution_pk":{{id}},"inputs":[]}""",
            say = $$"""{"session_id":"{{session}}","message_id":"m","message_date":"2026-01-01","version":"1","text":"a=b&c"}""",
            add = """{"datetime":"now","name":"NAME","text":"t"}""";

        foreach (var type in (string?[])["application/x-www-form-urlencoded", "text/plain", null])
        {
            Assert.Equal("200 ", Told(await SendAsync(user, Post, "/user_task_execution_run", run, type)));
            var (status, said) = await SendAsync(user, Put, "/user_message", say, type);
            Assert.Equal((200, "a=b&c"), (status, (string?)said!["text"]));
            Assert.Equal(
                "200 ", Told(await SendAsync(user, Put, "/resource", add.Replace("NAME", $"of {type}", StringComparison.Ordinal), type)));
        }
        Assert.Equal("400 Missing field 'datetime'",
            Told(await SendAsync(user, Put, "/resource", "name=n&text=t", "application/x-www-form-urlencoded")));
        Assert.Equal(
            "200 ", Told(await SendAsync(user, Put, "/resource", "name=n&text=t&datetime=now", "application/x-www-form-urlencoded")));
        Assert.Equal("400 Request must be JSON", Told(await SendAsync(user, Put, "/resource", "name=n&text=t&datetime=now", null)));
    }

    private Task<(int Status, JsonNode? Body)> SendAsync(Assisted user, HttpMethod method, string path, string body, string? type)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = type is null ? null : new(type);
        return Site.SendAsync(user.Token, method, path, content);
    }

    private async Task<(int Status, JsonNode? Body)> SpeakAsync(Assisted user, string session, string id, bool isSilent = false)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(session), "session_id" }, { new StringContent(id), "message_id" },
            { new StringContent("2026-01-01T00:00:00Z"), "message_date" }, { new StringContent("1"), "version" },
        };
        if (!isSilent)
        {
            form.Add(File("RIFF"u8.ToArray(), "audio/webm"), "file", "note.webm");
        }
        return await Site.SendAsync(user.Token, Put, "/user_message", form);
    }

    private async Task<(int Status, JsonNode? Body)> RunAsync(Assisted user, int id, string input, byte[] picture, int times = 1)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("2026-01-01T00:00:00Z"), "datetime" },
            { new StringContent($"{id}"), "user_task_execution_pk" }, { new StringContent("[]"), "inputs" },
        };
        for (var time = 0; time < times; time++)
        {
            form.Add(File(picture, "image/png"), input, "drawing.png");
        }
        return await Site.SendAsync(user.Token, Post, "/user_task_execution_run", form);
    }

    private static ByteArrayContent File(byte[] bytes, string type)
    {
        var file = new ByteArrayContent(bytes);
        file.Headers.ContentType = new MediaTypeHeaderValue(type);
        return file;
    }

    private static string Told((int Status, JsonNode? Body) answer) => $"{answer.Status} {answer.Body?["error"]}";
}
