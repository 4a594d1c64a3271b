using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>Agents whose model answers with pictures or a vector, in the providers' own words; and what is uploaded for agents.</summary>
public sealed class MediaRunTests(MediaRunTests.MediaSite site) : IClassFixture<MediaRunTests.MediaSite>
{
    private const string Picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_agent_of_OpenAi_draws_and_its_picture_stays()
    {
        site.Tools.Answers("generations", $$$"""
            {"created":1,"data":[{"b64_json":"{{{Picture}}}","revised_prompt":"A red ship"}],"usage":{"input_tokens":12,"output_tokens":300,"total_tokens":312} }
            """);
        var agent = await site.AgentAsync(
            """{"service":"openai","configuration":{"model":"gpt-image-1","type":"image","prompt":"Draw in the style of {{style}}.","size":"1024x1024"}}""");

        var (status, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"A ship","variables":{"style":"a woodcut"} }""");

        Assert.Equal(HttpStatusCode.OK, status);
        var asked = Assert.Single(site.Tools.Calls, call => call.Path == "/v1/images/generations");
        Assert.Equal("Draw in the style of a woodcut.\n\nA ship", (string)asked.Body!["prompt"]!);
        Assert.Equal(("gpt-image-1", "1024x1024", 1), ((string)asked.Body["model"]!, (string)asked.Body["size"]!, (int)asked.Body["n"]!));
        Assert.Equal("Bearer of-images", asked.Headers["Authorization"]);
        var image = Assert.Single(body["response"]!["data"]!["image_urls"]!.AsArray())!;
        Assert.Equal("A red ship", (string)image["revised_prompt"]!);
        Assert.Equal((string)image["permanent_url"]!, (string)body["response"]!["data"]!["permanent_url"]!);
        Assert.Equal(312, (int)body["response"]!["usage"]!["total_tokens"]!);
        using var read =
            await site.Host.Client.GetAsync(new Uri(new Uri((string)image["permanent_url"]!).AbsolutePath, UriKind.Relative), Ct);
        Assert.Equal(("image/png", "nosniff"),
            (read.Content.Headers.ContentType!.MediaType, read.Headers.GetValues("X-Content-Type-Options").Single()));
        Assert.Equal(Convert.FromBase64String(Picture), await read.Content.ReadAsByteArrayAsync(Ct));
        var row = Assert.Single(await site.RowsAsync(agent));
        Assert.Equal((string)image["permanent_url"]!, (string)row.Document["llm_urls"]![0]!["url"]!);
    }

    [Fact]
    public async Task An_agent_of_Gemini_draws_by_either_method()
    {
        site.Tools.Answers("gemini-2.5-flash-image:generateContent", $$$$"""
            {"candidates":[{"content":{"parts":[{"text":"Here it is"},{"inlineData":{"mimeType":"image/png","data":"{{{{Picture}}}}"}}]}}],
             "usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":1290},"responseId":"r1"}
            """);
        site.Tools.Answers("imagen-4.0-generate-001:predict",
            $$"""{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":"{{Picture}}"},{"mimeType":"image/png","bytesBase64Encoded":"{{Picture}}"}]}""");
        var flash = await site.AgentAsync(
            """{"service":"gemini","configuration":{"model":"gemini-2.5-flash-image","type":"image","aspect_ratio":"16:9"}}""");
        var imagen = await site.AgentAsync("""{"service":"gemini","configuration":{"model":"imagen-4.0-generate-001","type":"image"}}""");

        var (_, first) = await site.RunAsync(
            $$"""{"bridge_id":"{{flash}}","user":"The same by night","images":["data:image/png;base64,{{Picture}}"]}""");
        var (_, second) = await site.RunAsync($$"""{"bridge_id":"{{imagen}}","user":"Two ships","number_of_images":2}""");
        var (refused, _) =
            await site.RunAsync($$"""{"bridge_id":"{{imagen}}","user":"x","images":["data:image/png;base64,{{Picture}}"]}""");

        Assert.Equal("Here it is", (string)first["response"]!["data"]!["image_urls"]![0]!["revised_prompt"]!);
        Assert.Equal(1290, (int)first["response"]!["usage"]!["output_tokens"]!);
        var asked = Assert.Single(site.Tools.Calls, call => call.Path.EndsWith(":generateContent", StringComparison.Ordinal)
            && call.Body!.ToJsonString().Contains("by night", StringComparison.Ordinal)).Body!;
        Assert.Equal("16:9", (string)asked["generationConfig"]!["imageConfig"]!["aspectRatio"]!);
        Assert.Equal(Picture, (string)asked["contents"]![0]!["parts"]![0]!["inlineData"]!["data"]!);
        Assert.Equal(2, second["response"]!["data"]!["image_urls"]!.AsArray().Count);
        Assert.Equal(2, (int)Assert.Single(
            site.Tools.Calls, call => call.Path.EndsWith(":predict", StringComparison.Ordinal)).Body!["parameters"]!["sampleCount"]!);
        Assert.Equal(HttpStatusCode.BadRequest, refused);
    }

    [Theory]
    [InlineData("""{"data":[{"path":"abc.png","revised_prompt":"Red"}]}""")]
    [InlineData("""{"images":["/v1/media/images/abc.png"]}""")]
    public async Task An_agent_of_ai_ml_draws_and_its_picture_is_fetched_with_the_same_key(string made)
    {
        site.Tools.Answers("images", made);
        site.Tools.On("abc.png", async context =>
        {
            context.Response.ContentType = "image/png";
            await context.Response.Body.WriteAsync(Convert.FromBase64String(Picture), context.RequestAborted);
        });

        var (status, body) =
            await site.RunAsync("""{"service":"ai_ml","configuration":{"model":"painter","type":"image"},"user":"A ship"}""");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("painter", (string?)site.Tools.Calls.Last(call => call.Path == "/v1/generation/images").Body!["model"]);
        var fetched = site.Tools.Calls.Last(call => call.Path == "/v1/media/images/abc.png");
        Assert.Equal("Bearer of-ai-ml", fetched.Headers["Authorization"]);
        using var read = await site.Host.Client.GetAsync(
            new Uri(new Uri((string)body["response"]!["data"]!["permanent_url"]!).AbsolutePath, UriKind.Relative), Ct);
        Assert.Equal(Convert.FromBase64String(Picture), await read.Content.ReadAsByteArrayAsync(Ct));
    }

    [Fact]
    public async Task A_picture_that_is_refused_or_broken_is_one_clean_failure()
    {
        foreach (var (answer, said) in new[] { ("""{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}""", "PROHIBITED_CONTENT"),
            ("<html>", "could not be read") })
        {
            site.Tools.On("gemini-2.5-flash-image:generateContent", context => context.Response.WriteAsync(answer, context.RequestAborted));
            var (status, body) = await site.RunAsync(
                """{"service":"gemini","configuration":{"model":"gemini-2.5-flash-image","type":"image"},"user":"x"}""");
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Contains(said, body.ToJsonString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_agent_embeds()
    {
        site.Tools.Answers("embeddings",
            """{"object":"list","data":[{"index":0,"embedding":[0.5,-0.25]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":3,"total_tokens":3}}""");
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"text-embedding-3-small","type":"embedding"}}""");

        var (_, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"A ship"}""");
        var (_, demo) = await site.RunAsync("""{"service":"demo","configuration":{"model":"demo","type":"embedding"},"user":"A ship"}""");

        Assert.Equal([0.5, -0.25], body["response"]!["data"]!["embedding"]!.AsArray().Select(number => (double)number!));
        Assert.Equal(3, (int)body["response"]!["usage"]!["total_tokens"]!);
        Assert.Equal(256, demo["response"]!["data"]!["embedding"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("/image/processing/")]
    [InlineData("/files/upload")]
    public async Task A_form_that_breaks_off_is_the_callers_mistake(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent("--q\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc"),
        };
        request.Content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse("multipart/form-data; boundary=q");
        request.Headers.Add("pauthkey", "stoa-dev");

        using var answer = await site.Host.Client.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("The form is broken off", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/image/processing/", "image", "image_url")]
    [InlineData("/files/", "image", "image_url")]
    [InlineData("/image/processing/upload", "file", "file_url")]
    [InlineData("/files/upload", "video", "file_url")]
    public async Task What_is_uploaded_is_there_for_whoever_knows_its_address(string path, string field, string answer)
    {
        var (status, body) = await UploadAsync(path, field, Convert.FromBase64String(Picture));
        var (nobody, _) = await UploadAsync(path, field, Convert.FromBase64String(Picture), key: "wrong");
        var (page, refused) = await UploadAsync(path, field, "<script>alert(1)</script>"u8.ToArray());

        Assert.Equal(HttpStatusCode.OK, status);
        var address = new Uri((string)body[answer]!).AbsolutePath;
        using var read = await site.Host.Client.GetAsync(new Uri(address, UriKind.Relative), Ct);
        Assert.Equal(Convert.FromBase64String(Picture), await read.Content.ReadAsByteArrayAsync(Ct));
        Assert.Equal(HttpStatusCode.Unauthorized, nobody);
        if (field == "image")
        {
            Assert.Equal(HttpStatusCode.BadRequest, page);
            Assert.StartsWith("Error in image processing: ", (string)refused["detail"]!["error"]!, StringComparison.Ordinal);
        }
        else
        {
            using var script =
                await site.Host.Client.GetAsync(new Uri(new Uri((string)refused[answer]!).AbsolutePath, UriKind.Relative), Ct);
            Assert.Equal(("application/octet-stream", "attachment"),
                (script.Content.Headers.ContentType!.MediaType, script.Content.Headers.ContentDisposition!.DispositionType));
        }
    }

    [Theory]
    [InlineData("../../secret.png")]
    [InlineData("x.png")]
    [InlineData("00000000000000000000000000000000000a.png")]
    [InlineData("00000000000000000000000000000000000a.p%2Fng")]
    public async Task A_guessed_address_holds_nothing(string name)
    {
        using var read = await site.Host.Client.GetAsync(
            new Uri($"/image/{Stoa.Platform.Identity.Organization.DefaultId}/{name}", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.NotFound, read.StatusCode);
    }

    private async Task<(HttpStatusCode Status, JsonNode Body)> UploadAsync(
        string path, string field, byte[] content, string key = "stoa-dev")
    {
        using var file = new ByteArrayContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        using var form = new MultipartFormDataContent { { file, field, "a.png" } };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = form };
        request.Headers.Add("pauthkey", key);
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!);
    }

    /// <summary>Its models are scripts of <see cref="RunSite.Tools"/>, by the last part of their address.</summary>
    public sealed class MediaSite : RunSite
    {
        protected override void Configure(Dictionary<string, string?> settings)
        {
            settings["Gateway:Providers:openai:BaseUrl"] = $"{Tools.Address}/v1";
            settings["Gateway:Providers:openai:ApiKey"] = "of-images";
            settings["Gateway:Providers:gemini:Kind"] = "gemini";
            settings["Gateway:Providers:gemini:BaseUrl"] = Tools.Address;
            settings["Gateway:Providers:gemini:ApiKey"] = "of-gemini";
            settings["Gateway:Providers:ai_ml:Kind"] = "ai_ml";
            settings["Gateway:Providers:ai_ml:BaseUrl"] = $"{Tools.Address}/openai";
            settings["Gateway:Providers:ai_ml:ApiKey"] = "of-ai-ml";
            settings["Gateway:Providers:ai_ml:Models:0"] = "painter";
        }
    }
}
