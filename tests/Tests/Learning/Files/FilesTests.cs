using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Learning.Files;
using Stoa.Tests.Support;
using static Stoa.Tests.Learning.ServicesSite;

namespace Stoa.Tests.Learning.Files;

public sealed class FilesTests(SharedServicesSite shared) : IClassFixture<SharedServicesSite>
{
    private static readonly byte[] Zip = [.. "PK"u8, 5, 6, .. new byte[18]];

    private readonly ServicesSite site = shared.Site;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_bucket_the_front_end_is_sent_to_the_local_upload()
    {
        var (created, body) = await site.AskAsync("PUT", "/file/presigned-url/create", Pupil, new { content_type = "audio/wav" });
        var (read, _) = await site.AskAsync("GET", $"/file/presigned-url/get?uuid={Guid.Empty}&file_extension=wav", Pupil);

        Assert.Equal((500, "S3 bucket name is not set"), (created, (string?)body!["detail"]));
        Assert.Equal(500, read);
    }

    [Fact]
    public async Task What_was_uploaded_is_downloaded_as_it_was()
    {
        var (status, body) = await UploadAsync(Pupil, "audio/wav", "RIFF spoken"u8.ToArray());
        var uuid = (string)body!["file_uuid"]!;
        using var answer = await site.SendAsync("GET", $"/file/download-local/?uuid={uuid}&file_extension=wav", Pupil);

        Assert.Equal(200, status);
        Assert.Equal(
            ($"{uuid}.wav", $"uploads/{uuid}.wav", $"/uploads/{uuid}.wav"),
            ((string?)body["file_key"], (string?)body["file_path"], (string?)body["static_url"]));
        Assert.Equal("RIFF spoken", await answer.Content.ReadAsStringAsync(Ct));
        Assert.Equal("application/octet-stream", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(("attachment", $"{uuid}.wav"),
            (answer.Content.Headers.ContentDisposition!.DispositionType, answer.Content.Headers.ContentDisposition.FileName));
        AssertHarmless(answer);
    }

    [Fact]
    public async Task What_a_learner_hands_in_is_read_by_himself_and_those_who_teach_him()
    {
        var (_, body) = await UploadAsync(Pupil, "application/zip", Zip);
        var path = $"/file/download-local/?uuid={(string)body!["file_uuid"]!}&file_extension=zip";

        var statuses = new Dictionary<int, int>();
        foreach (var user in (int[])[Owner, Admin, Mentor, Pupil, Other, Elsewhere, Outsider])
        {
            statuses[user] = await site.StatusAsync("GET", path, user);
        }

        Assert.Equal(
            [(Owner, 200), (Admin, 200), (Mentor, 200), (Pupil, 200), (Other, 404), (Elsewhere, 404), (Outsider, 404)],
            statuses.Select(pair => (pair.Key, pair.Value)));
        Assert.Equal(401, await site.StatusAsync("GET", path, user: null));
    }

    [Fact]
    public async Task What_the_school_brings_in_is_read_by_its_learners_and_shown_on_pages()
    {
        var (_, body) = await UploadAsync(Admin, "image/png", [0x89, .. "PNG"u8]);
        var (uuid, url) = ((string)body!["file_uuid"]!, (string)body["static_url"]!);
        using var shown = await site.SendAsync("GET", url, user: null);

        Assert.Equal(200, await site.StatusAsync("GET", $"/file/download-local/?uuid={uuid}&file_extension=png", Pupil));
        Assert.Equal(404, await site.StatusAsync("GET", $"/file/download-local/?uuid={uuid}&file_extension=png", Outsider));
        Assert.Equal((200, "image/png"), ((int)shown.StatusCode, shown.Content.Headers.ContentType!.MediaType));
        AssertHarmless(shown);
    }

    [Theory]
    [InlineData("audio/wav", "wav")]
    [InlineData("application/zip", "zip")]
    [InlineData("application/pdf", "pdf")]
    public async Task What_people_hand_in_is_on_no_open_page(string type, string extension)
    {
        var (status, body) = await UploadAsync(Pupil, type, extension == "pdf" ? "%PDF-1.7"u8.ToArray() : Zip);

        Assert.Equal(200, status);
        Assert.EndsWith($".{extension}", (string)body!["static_url"]!, StringComparison.Ordinal);
        Assert.Equal(404, await site.StatusAsync("GET", (string)body["static_url"]!, Pupil));
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("image/svg+xml")]
    [InlineData("application/javascript")]
    [InlineData("application/x-msdownload")]
    [InlineData("audio/../../wav")]
    [InlineData("wav")]
    [InlineData("")]
    public async Task Other_types_are_not_taken(string type)
    {
        Assert.Contains((await UploadAsync(Pupil, type, Zip)).Status, (int[])[400, 422]);
        Assert.Equal(400, await site.StatusAsync("PUT", "/file/presigned-url/create", Pupil, new { content_type = type }));
    }

    [Theory]
    [InlineData("application/zip")]
    [InlineData("application/pdf")]
    public async Task What_is_not_what_it_says_is_not_taken(string type)
    {
        var (status, _) = await UploadAsync(Pupil, type, "<script>alert(1)</script>"u8.ToArray());

        Assert.Equal(400, status);
        Assert.Equal(0L, await site.ReadAsync<long>($"select count(*) from learning.files where content_type = '{type}' and bytes = 25"));
    }

    [Theory]
    [InlineData("../../etc/passwd", "wav")]
    [InlineData("..%2F..%2Fetc%2Fpasswd", "wav")]
    [InlineData("0b4e7f3a-6f57-4f1d-9c58-0d5d6f0f2f11", "../../../etc/passwd")]
    [InlineData("0b4e7f3a-6f57-4f1d-9c58-0d5d6f0f2f11", "..")]
    [InlineData("0b4e7f3a-6f57-4f1d-9c58-0d5d6f0f2f11", "html")]
    [InlineData("0b4e7f3a-6f57-4f1d-9c58-0d5d6f0f2f11", "wav%00")]
    [InlineData("{0b4e7f3a-6f57-4f1d-9c58-0d5d6f0f2f11}", "wav")]
    public async Task No_name_leads_elsewhere(string uuid, string extension)
    {
        Assert.Equal(404, await site.StatusAsync("GET", $"/file/download-local/?uuid={uuid}&file_extension={extension}", Pupil));
        Assert.Contains(await site.StatusAsync("GET", $"/uploads/{uuid}.{extension}", Pupil), (int[])[400, 404]);
    }

    [Fact]
    public async Task What_is_missing_in_a_request_is_told()
    {
        var (status, body) = await site.AskAsync("GET", "/file/download-local/", Pupil);

        Assert.Equal(422, status);
        Assert.Equal(["uuid", "file_extension"], body!["detail"]!.AsArray().Select(error => (string)error!["loc"]![1]!));
        Assert.Contains(await site.StatusAsync("POST", "/file/upload-local", Pupil, new { a = 1 }), (int[])[415, 422]);
        Assert.Equal(401, (await UploadAsync(null, "audio/wav", Zip)).Status);
    }

    [Fact]
    public async Task What_is_too_large_is_refused_and_leaves_nothing()
    {
        await using var small = await StartAsync(new() { ["Learning:Files:MaxAudioMb"] = "1" });

        var (status, body) = await small.AskAsync("POST", "/file/upload-local", Pupil, content: Form("audio/wav", new byte[(1 << 20) + 1]));
        var (fits, _) = await small.AskAsync("POST", "/file/upload-local", Pupil, content: Form("audio/wav", new byte[1 << 20]));

        Assert.Equal((413, "File is too large: at most 1 MB"), (status, (string?)body!["detail"]));
        Assert.Equal(200, fits);
        Assert.Equal(1L, await small.ReadAsync<long>("select count(*) from learning.files"));
    }

    [Fact]
    public async Task Zips_larger_than_other_bodies_may_be_are_taken()
    {
        var (status, _) = await UploadAsync(Pupil, "application/zip", [.. Zip, .. new byte[40 << 20]]);

        Assert.Equal(200, status);
    }

    [Fact]
    public async Task Readers_of_ours_find_a_file_by_what_the_upload_answered()
    {
        var (_, body) = await UploadAsync(Owner, "application/pdf", "%PDF-1.7 x"u8.ToArray());
        var uuid = (string)body!["file_uuid"]!;

        var text = await site.WithAsync<LearningFiles, string?>(async files =>
        {
            await using var content = await files.OpenAsync(uuid, "pdf", Ct);
            return content is null ? null : await new StreamReader(content).ReadToEndAsync(Ct);
        });

        Assert.Equal("%PDF-1.7 x", text);
        Assert.Null(await site.WithAsync<LearningFiles, Stream?>(files => files.OpenAsync("../x", "pdf", Ct)));
    }

    private Task<(int Status, JsonNode? Body)> UploadAsync(int? user, string type, byte[] content) =>
        site.AskAsync("POST", "/file/upload-local", user, content: Form(type, content));

    internal static MultipartFormDataContent Form(string type, byte[] content) => new()
    {
        { new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } },
            "file", "../../evil.html" },
        { new StringContent(type, Encoding.UTF8), "content_type" },
    };

    private static void AssertHarmless(HttpResponseMessage answer)
    {
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.StartsWith("sandbox", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
    }
}

/// <summary>The same with a bucket: the front end goes there by itself.</summary>
public sealed class BucketTests(LoopbackS3 s3) : IClassFixture<LoopbackS3>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_browser_writes_and_reads_by_addresses_and_what_came_through_us_is_there_too()
    {
        LoopbackS3.SkipUnlessThere();
        await using var site = await StartAsync(s3.Settings);
        using var http = new HttpClient();

        var (created, put) = await site.AskAsync("PUT", "/file/presigned-url/create", Pupil, new { content_length = "11" });
        var (unbound, _) = await site.AskAsync("PUT", "/file/presigned-url/create", Pupil, new { });
        var (huge, _) = await site.AskAsync("PUT", "/file/presigned-url/create", Pupil, new { content_length = (50 << 20) + 1 });
        using var spoken = new ByteArrayContent("RIFF spoken"u8.ToArray()) { Headers = { ContentType = new("audio/wav") } };
        using var written = await http.PutAsync(new Uri((string)put!["presigned_url"]!), spoken, Ct);
        var uuid = (string)put["file_uuid"]!;
        var (asked, get) = await site.AskAsync("GET", $"/file/presigned-url/get?uuid={uuid}&file_extension=wav", Mentor);
        var (foreign, _) = await site.AskAsync("GET", $"/file/presigned-url/get?uuid={uuid}&file_extension=wav", Outsider);
        var local = await site.SendAsync("GET", $"/file/download-local/?uuid={uuid}&file_extension=wav", Pupil);
        var (uploaded, _) = await site.AskAsync("POST", "/file/upload-local", Pupil, content: FilesTests.Form("image/png", [1, 2, 3]));

        Assert.Equal((200, 200, 200, 404, 200), (created, (int)written.StatusCode, asked, foreign, uploaded));
        Assert.Equal((400, 413), (unbound, huge));
        Assert.Contains("SignedHeaders=content-length%3Bcontent-type%3Bhost", (string?)put["presigned_url"], StringComparison.Ordinal);
        Assert.Equal($"school/media/{uuid}.wav", (string?)put["file_key"]);
        Assert.Equal("RIFF spoken", await http.GetStringAsync((string)get!["url"]!, Ct));
        Assert.Equal("RIFF spoken", await local.Content.ReadAsStringAsync(Ct));
    }
}
