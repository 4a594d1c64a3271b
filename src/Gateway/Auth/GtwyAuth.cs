using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Platform;

namespace Stoa.Gateway.Auth;

internal static class GtwyAuth
{
    public static void AddGtwyAuth(this WebApplicationBuilder builder)
    {
        builder.Services.AddSettings<GtwyAuthOptions>(GtwyAuthOptions.Section);
        builder.Services.AddSingleton<IValidateOptions<GtwyAuthOptions>, GtwyAuthOptionsValidator>();
        builder.Services.AddSingleton<GtwyTokens>();
        builder.Services.AddSingleton<OrganizationNames>();
        builder.AddAlias("SecretKey", "Gateway:Auth:TokenSecret");
        builder.AddAlias("CHATBOTSECRETKEY", "Gateway:Auth:ChatbotSecret");
        builder.AddAlias("PUBLIC_CHATBOT_TOKEN", "Gateway:Auth:PublicChatbotSecret");
    }
}
