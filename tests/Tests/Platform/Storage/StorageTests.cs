using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Stoa.Platform;
using Stoa.Platform.Http;
using Stoa.Platform.Storage;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Storage;

/// <summary>What holds wherever files lie.</summary>
public sealed class StorageTests(LoopbackS3 s3) : IClassFixture<LoopbackS3>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("stoa-storage-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_written_is_read_until_it_is_deleted(bool inBucket)
    {
        var storage = Open(inBucket);

        Assert.Equal(5, await WriteAsync(storage, "media/one.wav", "first"));
        Assert.Equal(6, await WriteAsync(storage, "media/one.wav", "second"));
        Assert.Equal("second", await ReadAsync(storage, "media/one.wav"));
        await storage.DeleteAsync("media/one.wav", Ct);
        await storage.DeleteAsync("media/one.wav", Ct);

        Assert.Null(await storage.OpenAsync("media/one.wav", Ct));
        Assert.Null(await storage.OpenAsync("media/never.wav", Ct));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_too_large_leaves_what_was_there(bool inBucket)
    {
        var storage = Open(inBucket);
        await WriteAsync(storage, "media/two.wav", "first");

        var length = await storage.WriteAsync("media/two.wav", new MemoryStream(new byte[200_000]), maxBytes: 199_999, Ct);

        Assert.Null(length);
        Assert.Equal("first", await ReadAsync(storage, "media/two.wav"));
        Assert.DoesNotContain(Directory.EnumerateFiles(folder, "*.tmp", SearchOption.AllDirectories), _ => true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("../secret")]
    [InlineData("media/../../secret")]
    [InlineData("media/./a")]
    [InlineData("media//a")]
    [InlineData("media/")]
    [InlineData(".hidden")]
    [InlineData("a\\b")]
    [InlineData("a\0b")]
    [InlineData("a b")]
    public async Task A_name_that_leads_elsewhere_is_refused(string name)
    {
        var storage = Open(inBucket: false);

        await Assert.ThrowsAsync<ArgumentException>(() => WriteAsync(storage, name, "x"));
        await Assert.ThrowsAsync<ArgumentException>(() => storage.OpenAsync(name, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => storage.DeleteAsync(name, Ct));
    }

    [Fact]
    public async Task What_a_killed_host_left_half_written_is_swept_and_what_is_being_written_is_not()
    {
        var drafts = Directory.CreateDirectory(Path.Combine(folder, "storage", ".drafts"));
        var (old, young) = (Path.Combine(drafts.FullName, "old.tmp"), Path.Combine(drafts.FullName, "young.tmp"));
        await File.WriteAllTextAsync(old, "half", Ct);
        await File.WriteAllTextAsync(young, "half", Ct);
        File.SetLastWriteTimeUtc(old, TimeProvider.System.GetUtcNow().AddDays(-2).UtcDateTime);

        await WriteAsync(Open(inBucket: false), "media/one.wav", "first");

        Assert.Equal([young], Directory.EnumerateFiles(drafts.FullName));
    }

    [Fact]
    public async Task A_draft_has_no_name_that_a_killed_host_could_leave()
    {
        await using var draft = Draft.Open(folder);
        await draft.WriteAsync("kept while it is open"u8.ToArray(), Ct);
        draft.Position = 0;

        Assert.Empty(Directory.EnumerateFiles(folder));
        Assert.Equal("kept while it is open", await new StreamReader(draft).ReadToEndAsync(Ct));
    }

    [Fact]
    public async Task Files_on_our_own_disk_have_no_addresses()
    {
        var storage = Open(inBucket: false);

        Assert.Null(await storage.WriteAddressAsync("media/a.wav", "audio/wav", bytes: null, TimeSpan.FromMinutes(1), Ct));
        Assert.Null(await storage.ReadAddressAsync("media/a.wav", TimeSpan.FromMinutes(1), Ct));
    }

    [Fact]
    public async Task Whoever_has_an_address_writes_and_reads_that_file()
    {
        var storage = Open(inBucket: true);
        using var http = new HttpClient();
        var write = (await storage.WriteAddressAsync("media/three.wav", "audio/wav", bytes: 6, TimeSpan.FromMinutes(10), Ct))!;
        var read = (await storage.ReadAddressAsync("media/three.wav", TimeSpan.FromMinutes(10), Ct))!;

        var put = await PutAsync(http, write.Url, "audio/wav");

        Assert.Equal(("school/media/three.wav", HttpStatusCode.OK), (write.Key, put.StatusCode));
        Assert.Equal("spoken", await http.GetStringAsync(read.Url, Ct));
        Assert.Equal("spoken", await ReadAsync(storage, "media/three.wav"));
        // Whole seconds, of which one may pass while it is signed.
        Assert.Matches("X-Amz-Expires=(600|59[0-9])(&|$)", write.Url);
        Assert.Contains("%2Fap-south-1%2Fs3%2Faws4_request", write.Url, StringComparison.Ordinal);
    }

    /// <summary>The server of these tests looks at no signature of this version, so it is computed here as AWS computes it.</summary>
    [Fact]
    public async Task An_address_is_signed_for_its_file_its_method_its_type_and_its_length()
    {
        var storage = Open(inBucket: true);
        var write = new Uri((await storage.WriteAddressAsync("media/three.wav", "audio/wav", bytes: 6, TimeSpan.FromMinutes(10), Ct))!.Url);
        var read = new Uri((await storage.ReadAddressAsync("media/three.wav", TimeSpan.FromMinutes(10), Ct))!.Url);
        var otherFile = new Uri(write.AbsoluteUri.Replace("three", "four", StringComparison.Ordinal));

        Assert.Equal(
            SignedAs(write), Signature("PUT", write, ("content-length", "6"), ("content-type", "audio/wav"), ("host", write.Authority)));
        Assert.Equal(SignedAs(read), Signature("GET", read, ("host", read.Authority)));
        Assert.NotEqual(
            SignedAs(write), Signature("PUT", write, ("content-length", "6"), ("content-type", "text/html"), ("host", write.Authority)));
        Assert.NotEqual(
            SignedAs(write), Signature("PUT", write, ("content-length", "7"), ("content-type", "audio/wav"), ("host", write.Authority)));
        Assert.NotEqual(SignedAs(otherFile),
            Signature("PUT", otherFile, ("content-length", "6"), ("content-type", "audio/wav"), ("host", write.Authority)));
    }

    [Fact]
    public async Task A_bucket_that_does_not_answer_is_told_as_such()
    {
        using var storage = new S3Storage(
            Options.Create(new StorageOptions { Bucket = "stoa", Endpoint = "http://127.0.0.1:9", AccessKey = "a", SecretKey = "b" }),
            Options.Create(new StoaOptions { DataDirectory = folder }), TimeProvider.System, NullLogger<S3Storage>.Instance);

        var failure = await Assert.ThrowsAsync<Failure>(() => storage.OpenAsync("media/a.wav", Ct));

        Assert.Equal(FailureKind.Unavailable, failure.Kind);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private IStorage Open(bool inBucket)
    {
        var host = Options.Create(new StoaOptions { DataDirectory = folder });
        if (!inBucket)
        {
            return new DiskStorage(host, TimeProvider.System);
        }
        LoopbackS3.SkipUnlessThere();
        return new S3Storage(Options.Create(s3.Options), host, TimeProvider.System, NullLogger<S3Storage>.Instance);
    }

    private static Task<long?> WriteAsync(IStorage storage, string name, string content) =>
        storage.WriteAsync(name, new MemoryStream(Encoding.UTF8.GetBytes(content)), maxBytes: 100, Ct);

    private static async Task<string> ReadAsync(IStorage storage, string name)
    {
        await using var stream = (await storage.OpenAsync(name, Ct))!;
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Ct);
    }

    private static string SignedAs(Uri address) => address.Query.Split("X-Amz-Signature=")[1].Split('&')[0];

    /// <summary>Signature version 4 of an address whose body is not signed.</summary>
    private static string Signature(string method, Uri address, params (string Name, string Value)[] headers)
    {
        var query = address.Query.TrimStart('?').Split('&')
            .Where(part => !part.StartsWith("X-Amz-Signature=", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        var scope = Uri.UnescapeDataString(query.Single(part => part.StartsWith("X-Amz-Credential=", StringComparison.Ordinal))
            .Split('=')[1]).Split('/', 2)[1];
        var time = query.Single(part => part.StartsWith("X-Amz-Date=", StringComparison.Ordinal)).Split('=')[1];
        var request = string.Join('\n', [
            method, address.AbsolutePath, string.Join('&', query), .. headers.Select(header => $"{header.Name}:{header.Value}"), "",
            string.Join(';', headers.Select(header => header.Name)), "UNSIGNED-PAYLOAD",
        ]);
        var text = string.Join(
            '\n', "AWS4-HMAC-SHA256", time, scope, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(request))));
        var key = scope.Split('/')
            .Aggregate(Encoding.UTF8.GetBytes("AWS4S3RVER"), (secret, part) => HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(part)));
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
    }

    private static Task<HttpResponseMessage> PutAsync(HttpClient http, string url, string type) =>
        http.PutAsync(new Uri(url), new StringContent("spoken") { Headers = { ContentType = new MediaTypeHeaderValue(type) } }, Ct);
}
