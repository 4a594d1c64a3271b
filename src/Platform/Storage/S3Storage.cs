using System.Globalization;
using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Platform.Storage;

/// <summary>Files in a bucket of S3, or of a server that speaks like it.</summary>
internal sealed partial class S3Storage(
    IOptions<StorageOptions> options, IOptions<StoaOptions> host, TimeProvider time, ILogger<S3Storage> logger) : IStorage, IDisposable
{
    private readonly StorageOptions options = options.Value;
    private readonly string drafts = Path.GetFullPath(Path.Combine(host.Value.DataDirectory, "drafts"));
    private readonly AmazonS3Client client = Connect(options.Value);

    public async Task<long?> WriteAsync(string name, Stream content, long maxBytes, CancellationToken ct)
    {
        var key = KeyOf(name);
        // A bucket wants to know the length before the content.
        Directory.CreateDirectory(drafts);
        await using var draft = Draft.Open(drafts);
        if (await BoundedCopy.RunAsync(content, draft, maxBytes, ct) is not { } length)
        {
            return null;
        }
        draft.Position = 0;
        var written = await AskAsync(() => client.PutObjectAsync(
            new() { BucketName = options.Bucket, Key = key, InputStream = draft, AutoCloseStream = false, UseChunkEncoding = false }, ct));
        // A server that knows no such address has kept nothing.
        return written is null ? throw Unreachable() : length;
    }

    public async Task<Stream?> OpenAsync(string name, CancellationToken ct)
    {
        var found = await AskAsync(() => client.GetObjectAsync(new() { BucketName = options.Bucket, Key = KeyOf(name) }, ct));
        return found?.ResponseStream;
    }

    public async Task DeleteAsync(string name, CancellationToken ct) =>
        await AskAsync(() => client.DeleteObjectAsync(new() { BucketName = options.Bucket, Key = KeyOf(name) }, ct));

    public Task<StorageAddress?> WriteAddressAsync(string name, string contentType, long? bytes, TimeSpan lifetime, CancellationToken ct) =>
        SignAsync(KeyOf(name), HttpVerb.PUT, contentType, bytes, lifetime);

    public Task<StorageAddress?> ReadAddressAsync(string name, TimeSpan lifetime, CancellationToken ct) =>
        SignAsync(KeyOf(name), HttpVerb.GET, contentType: null, bytes: null, lifetime);

    public void Dispose() => client.Dispose();

    private async Task<StorageAddress?> SignAsync(string key, HttpVerb verb, string? contentType, long? bytes, TimeSpan lifetime)
    {
        var request = new GetPreSignedUrlRequest
        {
            BucketName = options.Bucket,
            Key = key,
            Verb = verb,
            ContentType = contentType,
            Expires = (time.GetUtcNow() + lifetime).UtcDateTime,
            Protocol = options.Endpoint?.StartsWith("http:", StringComparison.OrdinalIgnoreCase) == true ? Protocol.HTTP : Protocol.HTTPS,
        };
        if (bytes is { } length)
        {
            // Among the signed headers: a body of another length is another request.
            request.Headers["Content-Length"] = length.ToString(CultureInfo.InvariantCulture);
        }
        return new(key, await client.GetPreSignedURLAsync(request));
    }

    /// <summary>Null when there is no such file.</summary>
    private async Task<T?> AskAsync<T>(Func<Task<T>> ask)
        where T : class
    {
        try
        {
            return await ask();
        }
        catch (AmazonS3Exception missing) when (missing is { StatusCode: HttpStatusCode.NotFound, ErrorCode: not "NoSuchBucket" })
        {
            return null;
        }
        catch (Exception refused) when (refused is AmazonClientException or AmazonServiceException or HttpRequestException)
        {
            LogRefused(refused);
            throw Unreachable();
        }
    }

    private static Failure Unreachable() => Failure.Unavailable("The storage of files cannot be reached", TimeSpan.FromSeconds(5));

    private string KeyOf(string name) =>
        options.Folder is { Length: > 0 } folder ? $"{folder}/{StorageName.Checked(name)}" : StorageName.Checked(name);

    private static AmazonS3Client Connect(StorageOptions options)
    {
        var config = new AmazonS3Config
        {
            AuthenticationRegion = options.Region,
            ForcePathStyle = options.PathStyle ?? options.Endpoint is not null,
            // Simple servers know neither of the checksums that AWS has added.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            Timeout = TimeSpan.FromMinutes(5),
            MaxErrorRetry = 2,
        };
        if (options.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint;
        }
        else
        {
            config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(options.Region);
        }
        return options.AccessKey is { Length: > 0 } key ? new(key, options.SecretKey, config) : new(config);
    }

    [LoggerMessage(LogLevel.Error, "The bucket cannot be used")]
    private partial void LogRefused(Exception error);
}
