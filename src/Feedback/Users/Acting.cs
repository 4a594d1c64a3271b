using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Feedback.Auth;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Users;

/// <summary>The user whom the request names by <c>oasst_user</c> or <c>X-OASST-USER</c>, if it names one.</summary>
internal sealed record Acting(FeedbackUser? User)
{
    public Guid? UserId => User?.Id;

    /// <exception cref="Failure">4002: it names one who is not there.</exception>
    public static async ValueTask<Acting?> BindAsync(HttpContext context) =>
        ActingUser.Of(context.Request) is { } named && await context.SurfaceCaller<ApiClient>() is { } client
            ? new(await context.RequestServices.GetRequiredService<UserStore>().RequireAsync(client, named, context.RequestAborted))
            : new Acting(User: null);
}
