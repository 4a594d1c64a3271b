using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Auth;

/// <summary>The services that prove themselves with a secret of their own.</summary>
internal enum MojodexService
{
    Scheduler,
    Background,
    Backoffice,
    Webapp,
    PurchaseUpdater,
}

/// <summary>Who calls Mojodex's surface: a user or a service, never both.</summary>
internal sealed record MojodexCaller(string? UserId, MojodexService? Service)
{
    public static ValueTask<MojodexCaller?> BindAsync(HttpContext context) => context.SurfaceCaller<MojodexCaller>();
}
