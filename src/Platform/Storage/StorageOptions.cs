using System.ComponentModel.DataAnnotations;

namespace Stoa.Platform.Storage;

/// <summary>Section <c>Storage</c>: without a bucket, files are on our own disk.</summary>
public sealed class StorageOptions : IValidatableObject
{
    public const string Section = "Storage";

    /// <summary>Where all files are: S3's, or that of a server that speaks like it.</summary>
    public string? Bucket { get; set; }

    /// <summary>Before each name in the bucket, with a slash between; absent: nothing.</summary>
    public string? Folder { get; set => field = value?.Trim('/'); }

    /// <summary>Of a server that speaks like S3 (<c>http://minio:9000</c>), as browsers reach it too; absent: AWS.</summary>
    [Url]
    public string? Endpoint { get; set => field = value?.TrimEnd('/'); }

    [Required]
    public string Region { get; set; } = "ap-south-1";

    /// <summary>Absent, with the secret: AWS's usual places (environment, profile, role of the machine).</summary>
    public string? AccessKey { get; set; }

    public string? SecretKey { get; set; }

    /// <summary>
    /// Whether the bucket stands in the path of addresses rather than in the host; absent: with an own <see cref="Endpoint"/>.
    /// </summary>
    public bool? PathStyle { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (string.IsNullOrEmpty(AccessKey) != string.IsNullOrEmpty(SecretKey))
        {
            yield return new("must be set together with the access key", [nameof(SecretKey)]);
        }
        if (Folder is { Length: > 0 } && !IsName(Folder))
        {
            yield return new("must be names of letters, digits, - and _ with slashes between", [nameof(Folder)]);
        }
    }

    private static bool IsName(string folder)
    {
        try
        {
            return StorageName.Checked(folder).Length > 0;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
