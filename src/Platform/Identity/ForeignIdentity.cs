using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Stoa.Platform.Egress;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Platform.Identity;

/// <summary>Whom others vouch for: Google, Discord, a web site with next-auth; and the tokens that must not be taken again.</summary>
public static class ForeignIdentity
{
    public static WebApplicationBuilder AddForeignIdentity(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<SpentTokens>();
        services.AddHostedService(provider => provider.GetRequiredService<SpentTokens>());
        services.AddReadiness(
            "tokens", "not read yet", provider => provider.GetRequiredService<SpentTokens>().WhenLoaded(CancellationToken.None));

        services.AddEgressClient(ProviderCalls.Client, egress => egress.TotalTimeout = TimeSpan.FromSeconds(15));
        services.AddSingleton<ProviderCalls>();
        services.AddSingleton<ProviderWays>();

        services.AddSettings<GoogleOptions>(GoogleOptions.Section);
        services.AddSingleton<IValidateOptions<GoogleOptions>, GoogleOptionsValidator>();
        services.AddEgressClient(GoogleTokens.Client, egress => egress.TotalTimeout = TimeSpan.FromSeconds(10));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<GoogleTokens>(provider, DevelopmentKey.For(
            provider.GetRequiredService<IHostEnvironment>(), provider.GetRequiredService<IOptions<KeyOptions>>().Value) is not null));
        services.AddSingleton<IProviderSignIn, GoogleSignIn>();
        builder.AddAlias("GOOGLE_CLIENT_ID", "Google:ClientId");

        services.AddSettings<DiscordOptions>(DiscordOptions.Section);
        services.AddSingleton<IValidateOptions<DiscordOptions>, DiscordOptionsValidator>();
        services.AddSingleton<IProviderSignIn, DiscordSignIn>();
        builder.AddAlias("AUTH_DISCORD_CLIENT_ID", "Discord:ClientId");
        builder.AddAlias("AUTH_DISCORD_CLIENT_SECRET", "Discord:ClientSecret");

        services.AddSettings<NextAuthOptions>(NextAuthOptions.Section);
        services.AddSingleton<IValidateOptions<NextAuthOptions>, NextAuthOptionsValidator>();
        services.AddSingleton<NextAuthSessions>();
        // One web site calls its secret so, the other so; they are the same thing.
        builder.AddListAlias("NextAuth:Secrets", "NEXTAUTH_SECRET", "AUTH_SECRET");
        builder.AddAlias("AUTH_SALT", "NextAuth:Salt");
        builder.AddAlias("AUTH_INFO", "NextAuth:Info");
        builder.AddAlias("AUTH_COOKIE_NAME", "NextAuth:CookieName");
        return builder;
    }
}
