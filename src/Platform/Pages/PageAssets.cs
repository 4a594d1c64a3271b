using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Stoa.Platform.Http;

namespace Stoa.Platform.Pages;

/// <summary>Style and icon of the pages. A file's address holds its fingerprint, so browsers keep it for good.</summary>
internal static class PageAssets
{
    private static readonly Asset StyleAsset = Read("stoa.css", "text/css; charset=utf-8");
    private static readonly Asset IconAsset = Read("stoa.svg", "image/svg+xml");

    private static readonly FrozenDictionary<string, Asset> ByPath =
        new[] { StyleAsset, IconAsset }.ToFrozenDictionary(asset => asset.Path, StringComparer.Ordinal);

    public static string Style => StyleAsset.Path;

    public static string Icon => IconAsset.Path;

    public static void MapAssets(this IEndpointRouteBuilder routes) =>
        routes.MapMethods("/assets/{name}", [HttpMethods.Get, HttpMethods.Head], Send).WithPageHeaders().ExcludeFromDescription();

    private static FileContentHttpResult Send(HttpContext context)
    {
        if (!ByPath.TryGetValue(context.Request.Path.Value!, out var asset))
        {
            throw Failure.NotFound("File");
        }
        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return TypedResults.Bytes(asset.Content, asset.ContentType, entityTag: asset.Tag);
    }

    private static Asset Read(string name, string contentType)
    {
        using var stream = typeof(PageAssets).Assembly.GetManifestResourceStream($"Pages.Assets.{name}")
            ?? throw new InvalidOperationException($"{name} is not part of the assembly");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 6));
        return new(
            $"/assets/{Path.GetFileNameWithoutExtension(name)}.{fingerprint}{Path.GetExtension(name)}", contentType, content,
            new EntityTagHeaderValue($"\"{fingerprint}\""));
    }

    private sealed record Asset(string Path, string ContentType, byte[] Content, EntityTagHeaderValue Tag);
}
