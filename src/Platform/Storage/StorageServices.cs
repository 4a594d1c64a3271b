using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Storage;

internal static class StorageServices
{
    public static void AddStorage(this WebApplicationBuilder builder)
    {
        builder.AddAlias("S3_BUCKET_NAME", $"{StorageOptions.Section}:{nameof(StorageOptions.Bucket)}");
        builder.AddAlias("S3_FOLDER_NAME", $"{StorageOptions.Section}:{nameof(StorageOptions.Folder)}");
        builder.Services.AddSettings<StorageOptions>(StorageOptions.Section);
        builder.Services.AddSingleton<IStorage>(provider =>
            provider.GetRequiredService<IOptions<StorageOptions>>().Value.Bucket is { Length: > 0 }
                ? ActivatorUtilities.CreateInstance<S3Storage>(provider)
                : ActivatorUtilities.CreateInstance<DiskStorage>(provider));
    }
}
