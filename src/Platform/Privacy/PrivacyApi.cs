using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;

namespace Stoa.Platform.Privacy;

/// <summary>What a person has a right to: all that is kept about him, and that it ends.</summary>
public static class PrivacyApi
{
    public static IServiceCollection AddPrivacy(this IServiceCollection services)
    {
        services.AddScoped<IPersonalData, PlatformData>();
        services.AddScoped<Erasure>();
        services.AddJob<ErasePerson, ErasePersonHandler>(ErasePerson.Kind, PrivacyJson.Default.ErasePerson);
        services.AddJson(PrivacyJson.Default);
        return services;
    }

    public static IEndpointRouteBuilder MapPrivacy(this IEndpointRouteBuilder routes)
    {
        var me = routes.MapOwnApi().MapGroup("/me").WithTags("Me").RequirePerson();
        me.MapGet("/export", ExportAsync).WithSummary("Everything that is kept about the person who is signed in: a zip of JSON files")
            .Produces(StatusCodes.Status200OK, contentType: "application/zip");
        me.MapPost("/erasure", RequestAsync).WithSummary("Ask to be erased when the grace time is over");
        me.MapDelete("/erasure", CancelAsync).WithSummary("Take the wish to be erased back");
        routes.MapErasurePages();
        return routes;
    }

    internal static async Task ExportAsync(
        HttpContext context, Caller caller, IEnumerable<IPersonalData> modules, TimeProvider time, CancellationToken ct)
    {
        var person = caller.RequirePerson();
        context.Response.ContentType = "application/zip";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"stoa-{time.GetUtcNow():yyyy-MM-dd}.zip\"";
        context.Response.Headers.CacheControl = "no-store";
        await using var body = new BodyStream(context.Response.BodyWriter);
        await using (var zip = await ZipArchive.CreateAsync(body, ZipArchiveMode.Create, leaveOpen: true, Encoding.UTF8, ct))
        {
            foreach (var module in modules)
            {
                await module.ExportAsync(person, new(zip, module.Name), ct);
            }
        }
        await body.FlushAsync(ct);
    }

    internal static async Task<Accepted<Pending>> RequestAsync(Caller caller, Erasure erasure, CancellationToken ct) =>
        TypedResults.Accepted((string?)null, new Pending(await erasure.RequestAsync(caller.RequirePerson(), caller.Actor, ct)));

    internal static async Task<NoContent> CancelAsync(Caller caller, Erasure erasure, CancellationToken ct)
    {
        await erasure.CancelAsync(caller.RequirePerson(), caller.Actor, ct);
        return TypedResults.NoContent();
    }

    internal sealed record Pending(DateTimeOffset EraseAt);
}
